package controller

import "time"

// A pass looks at everything, and every operation of every tenancy asks for one. So
// after each there is a breather that is some times as long as it took: passes take
// a bounded share of one core, however large the spec is, and one that is asked for
// in quiet times comes at once.
//
// While tenancies wait for workers it is longer: there is enough to do without a new
// plan, what is written is out of date soon, and the cores are wanted by operations.
const (
	breath     = 3
	busyBreath = 10
)

// breathOf is how many times the time it took the breather is.
func breathOf(q Queue) int {
	if busy(q) {
		return busyBreath
	}
	return breath
}

// busy says that tenancies wait for workers.
func busy(q Queue) bool { return q.Load().Behind > 0 }

// The longest breathers: after a pass, and after a write of the Controller's status,
// which makes the API server decode, check and store the whole object.
const (
	longestAfterPass  = time.Second
	longestAfterWrite = 5 * time.Second
)

// breather is when the next one may begin. One that took long for once, because the
// machine did, is not paid for: the shorter of the last two counts.
type breather struct {
	ended   time.Time
	last    time.Duration
	counts  time.Duration
	longest time.Duration
}

// left is how long the next one has to wait when it waits so many times the time the
// last one took; 0 for not at all. It is asked anew when there is less to do.
func (b breather) left(now time.Time, times int) time.Duration {
	return max(b.ended.Add(min(time.Duration(times)*b.counts, b.longest)).Sub(now), 0)
}

// take begins the breather.
func (b *breather) take(began, ended time.Time, longest time.Duration) {
	took := ended.Sub(began)
	b.counts = took
	if b.last > 0 {
		b.counts = min(took, b.last)
	}
	b.last, b.ended, b.longest = took, ended, longest
}
