package tagkey_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// field makes a struct type of one field F with a tag, in namespace n.
func field[T any](text string) reflect.Type {
	return reflect.StructOf([]reflect.StructField{
		{Name: "NS", Type: reflect.TypeFor[struct{}](), Tag: `restflow:"namespace,n"`},
		{Name: "F", Type: reflect.TypeFor[T](), Tag: reflect.StructTag(`restflow:"` + text + `"`)},
	})
}

// faultOf compiles a type with one fault and returns it without the type's text.
func faultOf(t *testing.T, typ reflect.Type) string {
	t.Helper()
	p, err := tagkey.CompileType(typ)
	require.Error(t, err)
	require.Nil(t, p)
	var fe *tagkey.FieldError
	require.ErrorAs(t, err, &fe)
	require.Equal(t, typ.String(), fe.Type)
	fe.Type = "K"
	return fe.Error()
}

func TestTagFaults(t *testing.T) {
	for _, tt := range []struct{ tag, want string }{
		{"", `has no source; begin with one of query, path, request, header, cookie, arg, const, schema, namespace, version`},
		{"param,pk", `unknown source "param"; did you mean "path"?`},
		{"ctx,user", `unknown source "ctx"; did you mean "request"?`},
		{"qs,page", `unknown source "qs"; did you mean "query"?`},
		{"Query,page", `unknown source "Query"; did you mean "query"?`},
		{"headers,Accept", `unknown source "headers"; did you mean "header"?`},
		{"session,id", `unknown source "session"; did you mean "cookie"?`},
		{"qurey,page", `unknown source "qurey"; did you mean "query"?`},
		{"body,name", `unknown source "body"; a cached response cannot depend on a request body`},
		{"elsewhere,name", `unknown source "elsewhere"; there are query, path, request, header, cookie, arg, const, schema, namespace, version`},
		{"query", `query has no name; write "query,<parameter>", or "query,*" for all of them`},
		{"query,,partition", `query has no name; write "query,<parameter>", or "query,*" for all of them`},
		{"path", `path has no name; write "path,<parameter>", or "path,*" for all of them`},
		{"header", `header has no name; write "header,<name>"`},
		{"header,*", `header does not take the name "*"; write "header,<name>"`},
		{"header,X Y", `"X Y" is no header name; write "header,<name>"`},
		{"header,host", `net/http keeps Host out of the headers; write "request,host"`},
		{"cookie,*", `cookie does not take the name "*"; write "cookie,<name>"`},
		{"cookie,a=b", `"a=b" is no cookie name; cookie names have letters, digits and some of !#$%&'*+-.^_` + "`|~"},
		{"const", `const has no name; write "const,<value>"`},
		{"namespace", `namespace has no name; write "namespace,<name>"`},
		{"request", `request has no path; write "request,<context key>.<field>", or request,method, request,host, request,scheme`},
		{"request,*", `request has no path; write "request,<context key>.<field>", or request,method, request,host, request,scheme`},
		{"request,user..id", `request path "user..id" has an empty segment; write "request,<context key>.<field>", or request,method, request,host, request,scheme`},
		{"query, page", `name " page" has spaces around it; write "page"`},
		{"version,0", `version "0" is no positive integer; write "version,1" or higher`},
		{"version,two", `version "two" is no positive integer; write "version,1" or higher`},
		{"version,01", `version "01" is no positive integer; write "version,1" or higher`},
		{"arg,partition", `"partition" stands where the name does; write "arg,,partition" for the flag`},
		{"query,page,partiton", `unknown flag "partiton"; did you mean "partition"?`},
		{"query,page,omitempty", `unknown flag "omitempty"; did you mean "optional"?`},
		{"query,page,required", `unknown flag "required"; there are partition, hash, optional, sorted, lower, ignore=`},
		{"query,page,", `has an empty flag; drop the comma`},
		{"query,page,hash,hash", `flag "hash" stands twice; drop one`},
		{"query,*,ignore=a,ignore=b", `flag "ignore=" stands twice; put "|" between the patterns of one`},
		{"query,*,ignore", `unknown flag "ignore"; did you mean "ignore="?`},
		{"query,*,ignore=", `flag "ignore=" has an empty pattern; write "ignore=utm_*|fbclid"`},
		{"query,*,ignore=*", `flag "ignore=*" ignores everything; leave the field out`},
		{"query,*,ignore=a*b", `pattern "a*b" has "*" inside; "*" may only end a pattern`},
		{"query,page,ignore=a", `flag "ignore=" is for "query,*"; drop the flag, or leave the field out`},
		{"path,*,ignore=a", `flag "ignore=" is for "query,*"; drop the flag, or leave the field out`},
		{"const,v2,partition", `const takes no flags; drop them`},
		{"schema,,hash", `schema takes no flags; drop them`},
		{"query,*,optional", `all parameters together are never absent; drop "optional"`},
		{"request,method,optional", `request,method is never absent; drop "optional"`},
		{"path,pk,sorted", `a path parameter has one value; drop "sorted"`},
		{"query,page,sorted", `flag "sorted" is for several values, not for string; drop "sorted", or use a slice`},
		{"query,*", `type string cannot hold "*"; use url.Values`},
		{"const,v2", `type string would hold a value, and const has none; use _ struct{}`},
	} {
		want := `tagkey: K.F: tag "` + tt.tag + `": ` + tt.want
		if tt.tag == "" {
			want = `tagkey: K.F: ` + tt.want
		}
		require.Equal(t, want, faultOf(t, field[string](tt.tag)), tt.tag)
	}
}

func TestTypeFaults(t *testing.T) {
	const use = `; use a string, a bool, an integer, a float, time.Time, an encoding.TextMarshaler, a pointer to one of these or a slice of them`
	const useArg = `; use a scalar, a slice, an array, a map with string keys or a struct of these, or implement encoding.TextMarshaler`
	type recursive struct{ Next *recursive }
	type hidden struct{ secret int }
	for _, tt := range []struct {
		typ  reflect.Type
		want string
	}{
		{field[chan int]("query,a"), `tag "query,a": type chan int is not supported` + use},
		{field[any]("query,a"), `tag "query,a": type interface {} is not supported` + use},
		{field[**int]("query,a"), `tag "query,a": type **int is not supported` + use},
		{field[[][]string]("query,a"), `tag "query,a": type [][]string is not supported` + use},
		{field[complex128]("query,a"), `tag "query,a": type complex128 is not supported` + use},
		{field[uintptr]("query,a"), `tag "query,a": type uintptr is not supported` + use},
		{field[struct{ A int }]("header,a"), `tag "header,a": type struct { A int } is not supported` + use},
		{field[[]byte]("query,a"), `tag "query,a": type []uint8 is not supported from a request; use string, which holds any bytes`},
		{field[url.Values]("query,a"), `tag "query,a": type url.Values holds all parameters; write "query,<parameter>", or "query,*" for all of them, or use a slice for several values`},
		{field[[]string]("path,a"), `tag "path,a": a path parameter has one value, and type []string holds several; use string`},
		{field[int]("request,method"), `tag "request,method": request,method is a string, and type int is none; use string`},
		{field[[]string]("request,host"), `tag "request,host": request,host is a string, and type []string is none; use string`},
		{field[*string]("request,scheme"), `tag "request,scheme": request,scheme is a string, and type *string is none; use string`},
		{field[int]("query,a,lower"), `tag "query,a,lower": flag "lower" is for strings, not for int; drop "lower"`},
		{field[time.Time]("query,a,lower"), `tag "query,a,lower": flag "lower" is for strings, not for time.Time; drop "lower"`},
		{field[int]("arg,a,sorted"), `tag "arg,a,sorted": flag "sorted" is for several values, not for int; drop "sorted", or use a slice`},
		{field[[]byte]("arg,a,sorted"), `tag "arg,a,sorted": flag "sorted" is for slices of scalars, not for []uint8; drop "sorted"`},
		{field[map[string]int]("arg,a,lower"), `tag "arg,a,lower": flag "lower" is for strings, not for map[string]int; drop "lower"`},
		{field[chan int]("arg,a"), `tag "arg,a": type chan int is not supported` + useArg},
		{field[[]any]("arg,a"), `tag "arg,a": type interface {} is not supported` + useArg},
		{field[map[int]string]("arg,a"), `tag "arg,a": type map[int]string has keys that are no strings; use string keys, or implement encoding.TextMarshaler`},
		{field[recursive]("arg,a"), `tag "arg,a": type tagkey_test.recursive is recursive; implement encoding.TextMarshaler`},
		{field[hidden]("arg,a"), `tag "arg,a": type tagkey_test.hidden has an unexported field "secret"; export it, or implement encoding.TextMarshaler, or leave it out by restflow:"-"`},
	} {
		require.Equal(t, "tagkey: K.F: "+tt.want, faultOf(t, tt.typ))
	}
	_ = hidden{}.secret
}

func TestMalformedStructTags(t *testing.T) {
	compile := func(text string) error {
		_, err := tagkey.CompileType(reflect.StructOf([]reflect.StructField{
			{Name: "NS", Type: reflect.TypeFor[struct{}](), Tag: `restflow:"namespace,n"`},
			{Name: "F", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(text)},
		}))
		var fe *tagkey.FieldError
		require.ErrorAs(t, err, &fe)
		fe.Type = "K"
		return fe
	}
	const malformed = "tagkey: K.F: has a malformed struct tag; write `restflow:\"...\"` without spaces around the colon"
	require.EqualError(t, compile(`restflow: "query,page"`), malformed)
	require.EqualError(t, compile(`restflow`), malformed)
	require.EqualError(t, compile(`json:"page" restflow=query`), malformed)
	const untagged = `tagkey: K.F: has no restflow tag; add one, or restflow:"-" to leave the field out`
	require.EqualError(t, compile(`json:"restflow"`), untagged)
	require.EqualError(t, compile(`restflows:"query,page"`), untagged)
}

// faultyUserKey has the fault that FieldError's comment shows.
type faultyUserKey struct {
	Page int `restflow:"query,page,partiton"`
}

type faultyKey struct {
	_        struct{}   `restflow:"namespace,a"`
	_        struct{}   `restflow:"namespace,b"`
	_        string     `restflow:"query,blank"`
	secret   string     `restflow:"query,secret"`
	Forgot   int        // no tag
	Embedded            // its fault is told with the path
	*Pointed            // not by value
	First    string     `restflow:"query,twice"`
	Second   int        `restflow:"query,twice"`
	Query    url.Values `restflow:"qeury,*"`
}

type Embedded struct {
	Inner chan int `restflow:"header,X-Inner"`
}

type Pointed struct {
	A int `restflow:"query,a"`
}

func TestAllFaultsAtOnceInTheOrderOfDeclaration(t *testing.T) {
	_, err := tagkey.Compile[faultyKey]()
	require.EqualError(t, err, `tagkey: faultyKey._: tag "namespace,b": namespace is declared by _ as well; drop one
tagkey: faultyKey._: tag "query,blank": a blank field holds no value; give the field a name
tagkey: faultyKey.secret: tag "query,secret": the field is not exported; begin its name with a capital letter
tagkey: faultyKey.Forgot: has no restflow tag; add one, or restflow:"-" to leave the field out
tagkey: faultyKey.Embedded.Inner: tag "header,X-Inner": type chan int is not supported; use a string, a bool, an integer, a float, time.Time, an encoding.TextMarshaler, a pointer to one of these or a slice of them
tagkey: faultyKey.Pointed: embeds a pointer; embed Pointed by value
tagkey: faultyKey.Second: tag "query,twice": query:twice is declared by First as well; drop one
tagkey: faultyKey.Query: tag "qeury,*": unknown source "qeury"; did you mean "query"?`)
	_ = faultyKey{}.secret
}

func TestFieldErrorText(t *testing.T) {
	_, err := tagkey.Compile[faultyUserKey]()
	require.EqualError(t, err, `tagkey: faultyUserKey.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?`)
	var fe *tagkey.FieldError
	require.ErrorAs(t, err, &fe)
	require.Equal(t, &tagkey.FieldError{
		Type: "faultyUserKey", Field: "Page", Tag: "query,page,partiton",
		Problem: `unknown flag "partiton"`, Mend: `did you mean "partition"?`,
	}, fe)
	require.EqualError(t, &tagkey.FieldError{Type: "K", Problem: "is odd"}, "tagkey: K: is odd")
}

func TestFaultsOfTheTypeItself(t *testing.T) {
	type sevenPartitions struct {
		A, B, C, D, E, F, G string
	}
	seven := make([]reflect.StructField, 0, 7)
	for i := range reflect.TypeFor[sevenPartitions]().NumField() {
		f := reflect.TypeFor[sevenPartitions]().Field(i)
		f.Tag = reflect.StructTag(`restflow:"query,` + f.Name + `,partition"`)
		seven = append(seven, f)
	}
	seven[0].Tag += ` json:"a"`
	namespace := reflect.StructField{Name: "NS", Type: reflect.TypeFor[struct{}](), Tag: `restflow:"namespace,n"`}
	for _, tt := range []struct {
		typ  reflect.Type
		want string
	}{
		{nil, `tagkey: nil: there is no type to compile; give a struct`},
		{reflect.TypeFor[int](), `tagkey: int: is no struct; declare a struct with a tagged field for all that the response depends on`},
		{reflect.TypeFor[*Pointed](), `tagkey: *tagkey_test.Pointed: is a pointer; use Pointed`},
		{reflect.TypeFor[*int](), `tagkey: *int: is no struct; declare a struct with a tagged field for all that the response depends on`},
		{reflect.TypeFor[struct{}](), "tagkey: struct {}: has no name to make a namespace of; add _ struct{} `restflow:\"namespace,<name>\"`"},
	} {
		_, err := tagkey.CompileType(tt.typ)
		require.EqualError(t, err, tt.want)
	}
	_, err := tagkey.CompileType(reflect.StructOf(append(seven, namespace)))
	var fe *tagkey.FieldError
	require.ErrorAs(t, err, &fe)
	fe.Type = "K"
	require.EqualError(t, fe, `tagkey: K: has 7 partition fields, and 6 are allowed; keep the flag where something is invalidated by the field alone`)
}

func TestMustCompilePanicsWithTheError(t *testing.T) {
	_, err := tagkey.Compile[faultyUserKey]()
	defer func() { require.Equal(t, err, recover()) }()
	tagkey.MustCompile[faultyUserKey]()
}
