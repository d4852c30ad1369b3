package tagkey

import (
	"slices"
	"strconv"
	"strings"
)

// tagName is the key of the struct tag.
const tagName = "restflow"

const everything = "*"

const (
	sourceQuery     = "query"
	sourcePath      = "path"
	sourceRequest   = "request"
	sourceHeader    = "header"
	sourceCookie    = "cookie"
	sourceArg       = "arg"
	sourceConst     = "const"
	sourceSchema    = "schema"
	sourceNamespace = "namespace"
	sourceVersion   = "version"
)

const (
	flagPartition = "partition"
	flagHash      = "hash"
	flagOptional  = "optional"
	flagSorted    = "sorted"
	flagLower     = "lower"
	flagIgnore    = "ignore="
)

var (
	sources = []string{
		sourceQuery, sourcePath, sourceRequest, sourceHeader, sourceCookie,
		sourceArg, sourceConst, sourceSchema, sourceNamespace, sourceVersion,
	}
	flags = []string{flagPartition, flagHash, flagOptional, flagSorted, flagLower, flagIgnore}
)

// tag is the parsed text of a field's tag.
type tag struct {
	source, name string
	partition    bool
	hash         bool
	optional     bool
	sorted       bool
	lower        bool
	ignore       []string
	version      int
}

// flaw is what is wrong, and what to do about it.
type flaw struct{ problem, mend string }

// parseTag reads "<source>[,<name>][,<flag>...]". Whether a flag suits the
// source and the field's type is not its business; see check.
func parseTag(text string) (tag, *flaw) {
	parts := strings.Split(text, ",")
	t := tag{source: parts[0]}
	if !slices.Contains(sources, t.source) {
		return t, unknownSource(t.source)
	}
	if len(parts) > 1 {
		t.name = parts[1]
	}
	if f := t.checkName(parts); f != nil {
		return t, f
	}
	for _, flag := range parts[min(2, len(parts)):] {
		if f := t.setFlag(flag); f != nil {
			return t, f
		}
	}
	return t, nil
}

func unknownSource(source string) *flaw {
	switch {
	case source == "":
		return &flaw{"has no source", "begin with one of " + strings.Join(sources, ", ")}
	case source == "body" || source == "form" || source == "json":
		return &flaw{"unknown source " + strconv.Quote(source), "a cached response cannot depend on a request body"}
	}
	return &flaw{"unknown source " + strconv.Quote(source), didYouMean(source, sources, sourceSynonyms)}
}

func (t *tag) checkName(parts []string) *flaw {
	if trimmed := strings.TrimSpace(t.name); trimmed != t.name {
		return &flaw{"name " + strconv.Quote(t.name) + " has spaces around it", "write " + strconv.Quote(trimmed)}
	}
	switch t.source {
	case sourceArg:
		if len(parts) == 2 && slices.Contains(flags, t.name) {
			return &flaw{strconv.Quote(t.name) + " stands where the name does", `write "arg,,` + t.name + `" for the flag`}
		}
	case sourceSchema:
	case sourceVersion:
		return t.checkVersion()
	case sourceRequest:
		return checkSegments(t.name)
	default:
		if t.name == "" {
			return &flaw{t.source + " has no name", nameMends[t.source]}
		}
	}
	if t.name == everything && !takesEverything(t.source) && t.source != sourceConst {
		return &flaw{t.source + " does not take the name \"*\"", nameMends[t.source]}
	}
	if t.source == sourceHeader {
		return t.checkHeader()
	}
	if t.source == sourceCookie && !isToken(t.name) {
		return &flaw{strconv.Quote(t.name) + " is no cookie name", "cookie names have letters, digits and some of !#$%&'*+-.^_`|~"}
	}
	return nil
}

// nameMends say what to write when a name is missing or is not possible.
var nameMends = map[string]string{
	sourceQuery:     `write "query,<parameter>", or "query,*" for all of them`,
	sourcePath:      `write "path,<parameter>", or "path,*" for all of them`,
	sourceRequest:   `write "request,<context key>.<field>", or request,method, request,host, request,scheme`,
	sourceHeader:    `write "header,<name>"`,
	sourceCookie:    `write "cookie,<name>"`,
	sourceArg:       `write "arg,<name>", or "arg" for the field's own name`,
	sourceConst:     `write "const,<value>"`,
	sourceSchema:    `write "schema,<name>", or "schema" for the type's own name`,
	sourceNamespace: `write "namespace,<name>"`,
}

func takesEverything(source string) bool { return source == sourceQuery || source == sourcePath }

func isBuiltIn(name string) bool { return name == "method" || name == "host" || name == "scheme" }

func (t *tag) checkVersion() *flaw {
	n, err := strconv.Atoi(t.name)
	if err != nil || n < 1 || strconv.Itoa(n) != t.name {
		return &flaw{"version " + strconv.Quote(t.name) + " is no positive integer", `write "version,1" or higher`}
	}
	t.version = n
	return nil
}

func checkSegments(name string) *flaw {
	if name == "" || name == everything {
		return &flaw{"request has no path", nameMends[sourceRequest]}
	}
	if slices.Contains(strings.Split(name, "."), "") {
		return &flaw{"request path " + strconv.Quote(name) + " has an empty segment", nameMends[sourceRequest]}
	}
	return nil
}

func (t *tag) setFlag(flag string) *flaw {
	if patterns, ok := strings.CutPrefix(flag, flagIgnore); ok {
		return t.setIgnore(patterns)
	}
	var on *bool
	switch flag {
	case flagPartition:
		on = &t.partition
	case flagHash:
		on = &t.hash
	case flagOptional:
		on = &t.optional
	case flagSorted:
		on = &t.sorted
	case flagLower:
		on = &t.lower
	case "":
		return &flaw{"has an empty flag", "drop the comma"}
	default:
		return &flaw{"unknown flag " + strconv.Quote(flag), didYouMean(flag, flags, flagSynonyms)}
	}
	if *on {
		return &flaw{"flag " + strconv.Quote(flag) + " stands twice", "drop one"}
	}
	*on = true
	return nil
}

// setIgnore reads patterns: names, or prefixes that end in "*", between bars.
func (t *tag) setIgnore(patterns string) *flaw {
	if t.ignore != nil {
		return &flaw{`flag "ignore=" stands twice`, `put "|" between the patterns of one`}
	}
	t.ignore = strings.Split(patterns, "|")
	for _, pattern := range t.ignore {
		switch star := strings.IndexByte(pattern, '*'); {
		case pattern == "":
			return &flaw{`flag "ignore=" has an empty pattern`, `write "ignore=utm_*|fbclid"`}
		case pattern == everything:
			return &flaw{`flag "ignore=*" ignores everything`, "leave the field out"}
		case star >= 0 && star < len(pattern)-1:
			return &flaw{"pattern " + strconv.Quote(pattern) + ` has "*" inside`, `"*" may only end a pattern`}
		}
	}
	return nil
}

// ignored reports whether one of the patterns matches name.
func ignored[T string | []byte](patterns []string, name T) bool {
	for _, pattern := range patterns {
		prefix, found := strings.CutSuffix(pattern, everything)
		if found && len(name) >= len(prefix) && string(name[:len(prefix)]) == prefix || !found && string(name) == pattern {
			return true
		}
	}
	return false
}
