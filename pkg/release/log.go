package release

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// told is how many lines of Helm's log go into the message of a failure.
const told = 2

// journal keeps the lines of Helm's log that tell of trouble: Helm often logs a
// cause and returns less.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// log is a logger as Helm wants one.
func (j *journal) log(format string, args ...any) {
	// Other lines are flow, and some are whole objects.
	if !slices.ContainsFunc([]string{"fail", "error", "unable", "warning"}, func(word string) bool {
		return strings.Contains(strings.ToLower(format), word)
	}) {
		return
	}
	line := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// explain adds to an error what Helm has logged last and the error does not say.
func (j *journal) explain(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	said := strings.Join(strings.Fields(err.Error()), " ")
	var more []string
	for _, line := range slices.Backward(j.lines) {
		if len(more) < told && !says(said, line) && !slices.Contains(more, line) {
			more = append(more, line)
		}
	}
	if len(more) == 0 {
		return err
	}
	slices.Reverse(more)
	return fmt.Errorf("%w (before that: %s)", err, strings.Join(more, "; "))
}

// says tells whether a text has what a line of the log tells: the line itself, or
// the cause at its end.
func says(text, line string) bool {
	cause := line[strings.LastIndex(line, ": ")+1:]
	return strings.Contains(text, line) || strings.Contains(line, text) || strings.Contains(text, strings.TrimSpace(cause))
}
