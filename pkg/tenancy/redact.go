package tenancy

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shortest is the length from which a value is taken out of a message. Shorter
// ones are in every sentence, and no secrets.
const shortest = 6

// quoting is how the API server begins to quote a value that it does not take.
var quoting = regexp.MustCompile(`(Invalid|Unsupported|Duplicate) value: |Not found: |Too (many|few): `)

// Redact takes the values of a release out of a text, and whatever the API server
// quotes there.
func Redact(text string, rel Release) string {
	text = unquote(text)
	keep := []string{rel.Key.Name, rel.Key.Namespace, rel.Chart.Name, rel.Chart.Version}
	var secrets []string
	for _, leaf := range leaves(rel.Values, nil) {
		if len(leaf) >= shortest && !slices.Contains(keep, leaf) {
			secrets = append(secrets, forms(leaf)...)
		}
	}
	// Longest first, so that no rest of a value stays when another is its beginning.
	slices.SortFunc(secrets, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	for _, s := range slices.Compact(secrets) {
		text = strings.ReplaceAll(text, s, "(redacted)")
	}
	return text
}

// unquote takes out what the API server quotes; of a patch that is the whole object.
func unquote(text string) string {
	var out strings.Builder
	for {
		at := quoting.FindStringIndex(text)
		if at == nil {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:at[1]])
		text = text[at[1]:]
		rest := text[quotedLen(text):]
		if after, ok := strings.CutPrefix(rest, ": "); ok {
			rest = after
		}
		text = rest
	}
}

// quotedLen is how long the value is that a text begins with: in quotes, as JSON,
// or a number or a word.
func quotedLen(text string) int {
	if prefix, err := strconv.QuotedPrefix(text); err == nil {
		return len(prefix)
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		d := json.NewDecoder(strings.NewReader(text))
		var value json.RawMessage
		if d.Decode(&value) == nil {
			return int(d.InputOffset())
		}
	}
	word := text
	if i := strings.IndexAny(text, ",]"); i >= 0 {
		word = text[:i]
	}
	if i := strings.Index(word, ": "); i >= 0 {
		word = word[:i]
	}
	if strings.Contains(word, " ") {
		return 0 // words: the value is gone already
	}
	return len(word)
}

// forms lists how a text may be written in a message: as it is, quoted by Go, JSON
// or an URL, and as the data of a Secret.
func forms(text string) []string {
	data := []byte(text)
	out := []string{
		text,
		url.QueryEscape(text), url.PathEscape(text), (&url.URL{Path: text}).EscapedPath(), url.User(text).String(),
		base64.StdEncoding.EncodeToString(data), base64.RawStdEncoding.EncodeToString(data),
		base64.URLEncoding.EncodeToString(data), base64.RawURLEncoding.EncodeToString(data),
	}
	for _, once := range quotes(text) {
		out = append(append(out, once), quotes(once)...) // as in an object that is quoted
	}
	return out
}

// quotes is a text within quotes, as Go and as JSON write it.
func quotes(text string) []string {
	quoted, _ := json.Marshal(text) // a text has no error
	return []string{within(strconv.Quote(text)), within(string(quoted))}
}

// within takes off the quotes around a text, and no other.
func within(quoted string) string { return quoted[1 : len(quoted)-1] }

// leaves lists the scalars of a tree of values, with their lines.
func leaves(node any, out []string) []string {
	switch v := node.(type) {
	case map[string]any:
		for _, child := range v {
			out = leaves(child, out)
		}
	case []any:
		for _, child := range v {
			out = leaves(child, out)
		}
	case string:
		out = append(out, v, strings.TrimSpace(v))
		for line := range strings.SplitSeq(v, "\n") {
			out = append(out, line, strings.TrimSpace(line))
		}
	case int64:
		out = append(out, fmt.Sprint(v))
	case float64: // which a template may print as an integer
		out = append(out, fmt.Sprint(v), strconv.FormatFloat(v, 'f', -1, 64))
	}
	return out
}
