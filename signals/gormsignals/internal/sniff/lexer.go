package sniff

import "strings"

type kind uint8

const (
	word   kind = iota // a name or keyword without quotes
	quoted             // a quoted name
	text               // a string
	number
	punct // one byte
)

type token struct {
	kind kind
	text string // a quoted name without its quotes; a string literal's text is dropped
}

// is reports whether the token is one of the keywords, which are upper case.
func (t token) is(keywords ...string) bool {
	if t.kind != word {
		return false
	}
	for _, k := range keywords {
		if strings.EqualFold(t.text, k) {
			return true
		}
	}
	return false
}

func (t token) punct(c byte) bool { return t.kind == punct && t.text[0] == c }

func (t token) name() bool { return t.kind == word || t.kind == quoted }

type lexer struct {
	Dialect
	sql string
	pos int
	bad bool // a comment, string or quoted name has no end

	commented bool // there was a comment
}

// lex splits sql into tokens. false means that some quote or comment never ends, so that nothing
// is certain.
func lex(sql string, d Dialect) ([]token, bool) {
	l := &lexer{Dialect: d, sql: sql}
	tokens := make([]token, 0, 16)
	for {
		t, ok := l.next()
		if !ok {
			return tokens, !l.bad
		}
		tokens = append(tokens, t)
	}
}

func (l *lexer) next() (token, bool) {
	for l.pos < len(l.sql) {
		c := l.sql[l.pos]
		switch {
		case c <= ' ':
			l.pos++
		case l.comment():
			l.commented = true
		case c == '\'':
			return l.literal(l.Backslash || l.escapePrefix()), true
		case c == '"', c == '`':
			return token{quoted, l.delimited(c, c == '"' && l.Backslash)}, true
		case c == '[' && l.Brackets:
			return token{quoted, l.delimited(']', false)}, true
		case c == '$' && l.Dollar && l.dollar():
			return token{kind: text}, true
		case wordStart(c):
			return token{word, l.run(wordPart)}, true
		case '0' <= c && c <= '9':
			return token{number, l.run(wordPart)}, true
		default:
			l.pos++
			return token{punct, l.sql[l.pos-1 : l.pos]}, true
		}
	}
	return token{}, false
}

func wordStart(c byte) bool {
	return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

func wordPart(c byte) bool { return wordStart(c) || '0' <= c && c <= '9' || c == '$' }

func (l *lexer) run(part func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.sql) && part(l.sql[l.pos]) {
		l.pos++
	}
	return l.sql[start:l.pos]
}

// comment skips a comment, if one begins here.
func (l *lexer) comment() bool {
	rest := l.sql[l.pos:]
	switch {
	case strings.HasPrefix(rest, "--") && (!l.Spaced || len(rest) == 2 || rest[2] <= ' '), rest[0] == '#' && l.Hash:
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			l.pos += end + 1
		} else {
			l.pos = len(l.sql)
		}
		return true
	case strings.HasPrefix(rest, "/*!") && l.Executable, strings.HasPrefix(rest, "/*M!") && l.Executable:
		// The server runs what is inside. Its end comes as two harmless punctuation tokens.
		l.pos += strings.IndexByte(rest, '!') + 1
		l.run(func(c byte) bool { return '0' <= c && c <= '9' })
		return true
	case strings.HasPrefix(rest, "/*"):
		l.block()
		return true
	}
	return false
}

func (l *lexer) block() {
	for depth := 0; l.pos < len(l.sql); l.pos++ {
		switch rest := l.sql[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			if depth == 0 || l.Nested {
				depth++
			}
			l.pos++
		case strings.HasPrefix(rest, "*/"):
			l.pos++
			if depth--; depth == 0 {
				l.pos++
				return
			}
		}
	}
	l.bad = true
}

// escapePrefix reports PostgreSQL's E'…' strings. Their prefix has come out as a word.
func (l *lexer) escapePrefix() bool {
	return l.Dollar && l.pos > 0 && l.sql[l.pos-1]|0x20 == 'e' && (l.pos == 1 || !wordPart(l.sql[l.pos-2]))
}

func (l *lexer) literal(backslash bool) token {
	l.delimited('\'', backslash)
	return token{kind: text}
}

// delimited reads up to the closing byte; a doubled closing byte stands for itself.
func (l *lexer) delimited(end byte, backslash bool) string {
	l.pos++
	start := l.pos
	for ; l.pos < len(l.sql); l.pos++ {
		switch c := l.sql[l.pos]; {
		case c == '\\' && backslash:
			l.pos++
		case c == end && l.pos+1 < len(l.sql) && l.sql[l.pos+1] == end:
			l.pos++
		case c == end:
			l.pos++
			return l.sql[start : l.pos-1]
		}
	}
	l.bad, l.pos = true, len(l.sql)
	return ""
}

// dollar skips $tag$ … $tag$, if one begins here. $1 is a parameter and not a tag.
func (l *lexer) dollar() bool {
	end := strings.IndexByte(l.sql[l.pos+1:], '$')
	if end < 0 {
		return false
	}
	tag := l.sql[l.pos : l.pos+end+2]
	for i, c := range []byte(tag[1 : len(tag)-1]) {
		if !wordPart(c) || c == '$' || i == 0 && '0' <= c && c <= '9' {
			return false
		}
	}
	body := l.pos + len(tag)
	stop := strings.Index(l.sql[body:], tag)
	if stop < 0 {
		l.bad, l.pos = true, len(l.sql)
		return true
	}
	l.pos = body + stop + len(tag)
	return true
}
