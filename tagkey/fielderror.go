package tagkey

import (
	"reflect"
	"strconv"
)

// FieldError is one fault of a key struct, found when it is compiled. Compile
// returns all of them, joined in the order of declaration.
type FieldError struct {
	Type    string // name of the key struct
	Field   string // Go name of the field, dotted through embedding; empty when the type as a whole is at fault
	Tag     string // text of the tag; empty when there is none
	Problem string // what is wrong
	Mend    string // what to do about it; may be empty
}

// Error tells all of it in one line:
//
//	tagkey: UserKey.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?
func (e *FieldError) Error() string {
	text := "tagkey: " + e.Type
	if e.Field != "" {
		text += "." + e.Field
	}
	text += ": "
	if e.Tag != "" {
		text += "tag " + strconv.Quote(e.Tag) + ": "
	}
	text += e.Problem
	if e.Mend != "" {
		text += "; " + e.Mend
	}
	return text
}

// typeName is how errors call a key type.
func typeName(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}
