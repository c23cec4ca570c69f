package main

import (
	"fmt"
	"time"
)

// scenarioGoals are those of the scenarios that were played.
func scenarioGoals(r *result) []verdict {
	n := r.Workload.Tenancies
	out := r.Flap.goals(n, r)
	if h := r.Hang; h != nil {
		q := ratio(h.Others.Seconds(), h.Usual.Seconds())
		out = append(out, verdict{
			fmt.Sprintf("%d hanging charts, T=%d: the other tenancies installed in at most 1.10 × the usual time", h.Tenancies, n),
			times(q), q > 0 && q <= 1.10,
		})
	}
	if p := r.Plans; p != nil {
		out = append(out, verdict{
			fmt.Sprintf("plan: spec of %d tenancies below 512 KiB", manyTenancies), kibibytes(float64(p.Many)), p.Many < 512<<10,
		})
	}
	return append(out, r.Guarded.goals(r)...)
}

// goals are those of flapping pods; none when f is nil.
func (f *flapped) goals(n int, r *result) []verdict {
	if f == nil {
		return nil
	}
	minute, late := densest(f.Written, time.Minute), percentile(f.Told, 99)
	out := []verdict{
		{
			fmt.Sprintf("flapping pods, T=%d: status of the Controller written at most 60 times a minute", n),
			fmt.Sprintf("%d, at least %s apart", minute, milliseconds(closest(f.Written).Seconds())), minute <= 60,
		},
		{
			fmt.Sprintf("flapping pods, T=%d: a pod until its Tenancy tells at most 2 s (p99)", n),
			milliseconds(late.Seconds()), len(f.Told) > 0 && late <= 2*time.Second && f.Missing == 0,
		},
	}
	if len(f.Edits) == 0 || len(r.Edits) == 0 {
		return out
	}
	q := ratio(percentile(f.changed(), 50).Seconds(), percentile(r.changed(), 50).Seconds())
	return append(out, verdict{
		fmt.Sprintf("flapping pods, T=%d: elsewhere %s in at most 1.10 × the usual time (median)", n, editWhole), times(q), q > 0 && q <= 1.10,
	})
}
