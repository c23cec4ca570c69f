package localcluster

import (
	"io"
	"strings"
)

// tailSize is enough for the end of a component's log.
const tailSize = 8 << 10

// tail keeps the end of what is written to it, for the error of a failed start.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if len(t.text) > tailSize {
		t.text = append([]byte(nil), t.text[len(t.text)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.text)) }

// orDiscard lets a writer be absent.
func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
