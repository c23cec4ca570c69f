package controller

import "time"

// A pass looks at everything, and every operation of every tenancy asks for one. So
// after each there is a breather that is some times as long as it took: passes take
// a bounded share of one core, however large the spec is, and one that is asked for
// in quiet times comes at once.
const (
	breath  = 3
	longest = time.Second
)

// breather is when the next pass may begin.
type breather struct{ until time.Time }

// left is how long a pass has to wait; 0 for not at all.
func (b *breather) left(now time.Time) time.Duration { return max(b.until.Sub(now), 0) }

// take begins the breather after a pass.
func (b *breather) take(began, ended time.Time) {
	b.until = ended.Add(min(breath*ended.Sub(began), longest))
}
