package plan

import "fmt"

// Removals counts the steps that uninstall what an edit took out of the spec. An
// uninstall that has begun is none: it goes on.
func Removals(steps []Step) int {
	n := 0
	for _, s := range steps {
		if s.removal() {
			n++
		}
	}
	return n
}

func (s Step) removal() bool { return s.Action == Uninstall && !s.Begun }

// Guard holds all removals when there are more than most of them, and lets the
// other steps go on: one wrong edit must not take every tenant away.
func Guard(steps []Step, most int) []Step {
	n := Removals(steps)
	if n <= most {
		return steps
	}
	out := make([]Step, 0, len(steps))
	for _, s := range steps {
		if s.removal() {
			s.Action = Hold
			s.Reason = fmt.Sprintf("held: the spec now uninstalls %d releases, more than maxRemovals (%d); to go on, "+
				"set the annotation multitenancy.dev/confirm-removals to \"%d\", or put them back", n, most, n)
		}
		out = append(out, s)
	}
	return out
}
