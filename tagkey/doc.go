// Package tagkey turns the tags of a key struct into cache keys. A Go type declares
// once what a cached response depends on; the same plan then makes the key of a
// request, and the key of a value of that type when entries are to be invalidated:
//
//	type UserKey struct {
//		_     struct{}   `restflow:"namespace,UserDetail"`
//		_     struct{}   `restflow:"version,1"`
//		PK    int64      `restflow:"path,pk,partition"`
//		User  string     `restflow:"request,user.id,partition"`
//		Query url.Values `restflow:"query,*,hash"`
//	}
//
// It promises three things. Different inputs give different keys: absent, empty
// and zero differ, and any bytes are safe. Nothing about tags can fail at request
// time: [Compile] names every faulty field at once. And a key is the same in every
// process and release, until the key format's version changes.
//
// # Grammar
//
// Every exported field has a tag:
//
//	restflow:"<source>[,<name>][,<flag>...]"    the field is part of the key
//	restflow:"-"                                it is not
//
// There are no quotes, no escapes and no spaces around commas, so no name contains
// a comma. Unexported fields without a tag are left out.
//
// # Sources
//
//	query,<name>      the values of a query parameter
//	query,*           all query parameters
//	path,<name>       a path parameter
//	path,*            all path parameters
//	request,<path>    a value in the request's context, see below
//	request,method    the method
//	request,host      the host, in lower case
//	request,scheme    https if the connection has TLS, else http; headers that
//	                  proxies send are not trusted
//	header,<name>     the lines of a header; a line is one value, commas and all.
//	                  The name is made canonical. For Host write request,host
//	cookie,<name>     a cookie's value, as net/http parses it
//	arg[,<name>]      the field's own value, for function caches: no request has it.
//	                  The default name is the field's
//	const,<value>     the value itself
//	schema[,<name>]   a fingerprint of the field's Go type: when a model or payload
//	                  changes, so do the keys. The default name is the type's.
//	                  Names, types and tags of exported fields count, all the way down
//	namespace,<name>  what the key belongs to. Default: the package path and name of
//	                  the type. Keys of different namespaces never meet; give one
//	                  where two programs share a store, since both call their package
//	                  main, and to types declared inside functions, which share names
//	version,<n>       at least 1, which is the default. Raise it to start afresh
//
// The last two, and const, stand on a field of type struct{}; schema stands on a
// field of the type that it is about, or on struct{}. These may be blank or
// unexported. All other tagged fields must be exported.
//
// # Flags
//
//	partition    the field identifies a group of entries that can be invalidated
//	             together. At most [MaxPartitions] fields; they lead the key
//	hash         the key has the SHA-256 of the value instead of the value: for values
//	             that are long or confidential. Absent and empty values stay as they
//	             are
//	optional     on a request field: it may be absent. On any field without a pointer:
//	             in a value of the key struct, zero stands for absent
//	sorted       the order of repeated values does not matter. Without it ?a=1&a=2 and
//	             ?a=2&a=1 differ, since a handler can tell them apart. The order of
//	             different names never matters
//	lower        upper and lower case are one, as by strings.ToLower, except that
//	             invalid UTF-8 is kept as it is. With "*" it concerns values, not names
//	ignore=a|b*  only with query,*: parameters named a, or beginning with b, are left
//	             out, in requests and in values
//
// const, schema, namespace and version take no flags. sorted is for slices and
// for query,*; lower for strings, slices of them, and "*". optional is refused on "*",
// method, host and scheme, which are never absent. It is allowed on path parameters,
// since one cache may serve routes with and without one.
//
// # Types
//
// A field is a string, a bool, an integer, a float, a time.Time, an
// encoding.TextMarshaler (by value or by pointer), a pointer to one of these, or a
// slice of them. A field with the name "*" is a url.Values or a
// map[string][]string. An arg field may also be []byte, an array, a map with
// string keys, a struct with exported fields, or a nesting of these that is not
// recursive. Everything else is refused by [Compile].
//
// Typed fields normalise: text from the request is parsed into the type, and the
// value is written in one canonical form. So /users/042 and /users/42 have one key if
// the field is an int64. Integers are decimal; floats are the shortest text that
// parses to the same bits, and -0 is 0; a time is an instant in RFC 3339 format, and
// its zone does not matter; a TextMarshaler that is also a TextUnmarshaler parses the
// text and formats it again, and with one that is not the text is used as it is. A
// struct whose MarshalText is promoted from an embedded field is refused if it has other
// fields, since the text leaves them out. Text that does not parse, or does not fit, is a
// [*ValueError]: the cache then lets the handler answer.
//
// # Absent, empty and zero
//
// No value for a field, an empty value and a zero value give three different keys.
// In a value of the key struct,
//
//   - a nil pointer or slice is absent (as is a pointer to a nil net.IP and its like),
//     an empty slice is present, and a field without a pointer is always present;
//   - unless it is flagged optional: then its zero is absent. A request with an
//     explicit zero, as in ?page=0, keeps a key of its own, but no value of the key
//     struct has that key. In a partition it shares a group with absent, so
//     invalidating the zero reaches both;
//   - a "*" field is never absent: nil is the empty map, and a name without values
//     is ignored, since no request can express it.
//
// Use a pointer to distinguish the three, and to invalidate entries whose field was
// absent.
//
// A query, header, cookie or path field may be absent from a request. A request
// field may not, unless flagged optional, and nil in a value is refused as well: so
// a cache that runs before the authentication middleware caches nothing, rather
// than one user's page for all.
//
// # Repeated values and other limits
//
// A field that is no slice holds one value; a request that repeats it is a
// ValueError, since a handler may read either value. So is a query string that is
// malformed (a bad escape, or a semicolon), longer than [MaxQueryBytes] or of more
// than [MaxQueryParams] parameters, if the plan has query fields. Otherwise query
// strings are read as by url.ParseQuery. Invalid UTF-8 is kept.
//
// # Request paths
//
// The first segment of request,user.team.id is a key of the context, which is read
// with [Values].Get. Each further segment selects from the value found so far: a field
// of a struct, promoted ones included; a key of a map whose keys are strings; or a
// method without arguments that returns a value, or a value and an error. For fields
// and methods the exact name wins over one that differs in case, and that one must be
// unambiguous; unexported ones are ignored. Pointers and interfaces are followed; nil,
// and a key that a map does not have, is absent. A segment that names nothing, a
// method that panics and a method that returns an error are each a ValueError, even in
// an optional field: an error while identifying the user must not be treated as an
// anonymous request.
//
// The final value is a scalar, or a slice of scalars for a slice field. It is
// converted to the field's type by way of text, so an int64 fits a string field. A
// float fits an integer or a string if it is exact: numbers in the claims of a
// token are floats.
//
// # Embedding
//
// A struct embedded by value, without a tag, contributes its fields, its namespace
// and its version. An outer field of the same source and name replaces an embedded
// one, whatever their types. Two at one depth are an error, since neither takes precedence.
package tagkey
