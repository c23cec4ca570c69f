package controller

import (
	"fmt"
	"strings"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// health is how releases are that a plan asks about.
type health struct {
	ready map[tenancy.Key]bool
	// late are not ready though their time is up, with why.
	late map[tenancy.Key]string
	// probation says that one is watched for becoming ready, and next is when its
	// time is up.
	probation bool
	next      time.Duration
}

// health judges the releases that others depend on, and those that are rolled
// back when they do not become ready.
func (s *Schedule) health(want []tenancy.Tenancy, have []tenancy.Observed, now time.Time) health {
	out := health{ready: map[tenancy.Key]bool{}, late: map[tenancy.Key]string{}}
	observed := make(map[tenancy.Key]tenancy.Observed, len(have))
	for _, o := range have {
		observed[o.Key] = o
	}
	needed, probation := asked(want, observed)
	if len(needed)+len(probation) == 0 {
		return out
	}
	objects := s.Watch.Objects()
	judge := status.Judge(status.Facts{
		Now: now, Observed: have, Work: s.Ledger.View(s.Queue.Lanes()), Objects: objects, Nodes: s.Watch.Nodes(),
	})
	for _, t := range want {
		for _, rel := range t.Releases {
			if !needed[rel.Key] && !probation[rel.Key] {
				continue
			}
			ready, why := judge(rel)
			out.ready[rel.Key] = ready
			if !probation[rel.Key] || ready {
				continue
			}
			out.probation = true
			if _, known := objects[t.Namespace]; !known {
				continue // nobody has looked yet
			}
			left := observed[rel.Key].Settled.Add(rel.Timeout).Sub(now)
			switch {
			case left <= 0:
				out.late[rel.Key] = fmt.Sprintf("revision %d was not ready after %s: %s", observed[rel.Key].Revision, rel.Timeout, why)
			case out.next == 0 || left < out.next:
				out.next = left
			}
		}
	}
	return out
}

// asked lists the releases that others depend on, and those that have not been
// ready in their revision yet and are rolled back if they do not become so.
func asked(want []tenancy.Tenancy, observed map[tenancy.Key]tenancy.Observed) (needed, probation map[tenancy.Key]bool) {
	needed, probation = map[tenancy.Key]bool{}, map[tenancy.Key]bool{}
	for _, t := range want {
		for _, rel := range t.Releases {
			for _, name := range rel.DependsOn {
				needed[tenancy.Key{Namespace: t.Namespace, Name: name}] = true
			}
			o, exists := observed[rel.Key]
			if rel.OnFailure == v1alpha1.FailureRollback && exists && o.Meets(rel) && !o.Verified && o.FailedDigest == "" {
				probation[rel.Key] = true
			}
		}
	}
	return needed, probation
}

// tests reads the annotation that asks for tests: whose first word says of what.
func tests(request string) func(tenancy.Key) string {
	words := strings.Fields(request)
	if len(words) == 0 {
		return nil
	}
	return func(key tenancy.Key) string {
		switch words[0] {
		case "*", key.Namespace, key.String():
			return request
		}
		return ""
	}
}
