package status

import (
	"encoding/json"
	"slices"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// What objects may weigh as JSON, in bytes. etcd takes 1.5 MiB in a request, with
// everything: spec, status and the fields' managers.
const (
	// wanted is what the status of a Controller may weigh, least what it may weigh
	// whatever else the object holds. quiet is how far it is filled with the detail of
	// tenancies that are ready: each write costs the API server about a millisecond for
	// each KiB of the object, and that detail is in the Tenancy objects too.
	wanted = 512 << 10
	least  = 64 << 10
	quiet  = 256 << 10
	// whole is what a Controller shall weigh with everything.
	whole = 1 << 20
	// detail is what the status of a Tenancy may weigh.
	detail = 1 << 20
	// alwaysFits is how many releases, workloads and pods fit there whatever they say:
	// each has some names of 253 bytes and a message of 1 KiB at most.
	alwaysFits = detail / (4 << 10)
	// slack is for what surrounds the list that is cut.
	slack = 8 << 10
)

// Room is how many bytes the status of a Controller may weigh beside a rest that
// weighs so many: 512 KiB, and less when the whole object would pass 1 MiB.
func Room(rest int) int {
	return max(least, min(wanted, whole-rest))
}

// Fit leaves detail out of a status until it weighs no more than a number of bytes,
// where sizes is what each of its tenancies weighs.
// A status that fits is returned as it is. In another one the tenancies that are not
// ready come first, each group in the order it was in, and detail goes where it is
// missed least: each tenancy is shown with its phase and message, then as many as fit
// get their releases, or else those that are not ready; tenancies that are ready while
// the status weighs no more than 256 KiB.
// What does not fit even so is left out from the end. What is left out is counted in
// omitted, and the summary counts everything.
func Fit(status v1alpha1.ControllerStatus, sizes []int, room int) v1alpha1.ControllerStatus {
	room -= slack
	total := 0
	for _, size := range sizes {
		total += size
	}
	if total <= min(room, quiet-slack) {
		return status
	}
	shares := make([]share, 0, len(sizes))
	for _, healthy := range []bool{false, true} {
		for i, t := range status.Tenancies {
			if (t.Phase == v1alpha1.TenancyReady) == healthy {
				shares = append(shares, share{all: t, whole: sizes[i]})
			}
		}
	}
	omitted, kept := divide(shares, room)
	status.Omitted += omitted
	status.Tenancies = kept
	return status
}

// share is what a tenancy gets of the room.
type share struct {
	all, kept   v1alpha1.TenancyEntry
	whole, used int // bytes
}

// divide gives each tenancy its name first, and then its releases, as long as there is
// room.
func divide(shares []share, room int) (omitted int32, kept []v1alpha1.TenancyEntry) {
	used := 0
	for i := range shares {
		s := &shares[i]
		s.kept = bare(s.all)
		if s.used = size(s.kept); used+s.used > room {
			omitted, shares = int32(len(shares)-i), shares[:i]
			break
		}
		used += s.used
	}
	grow := func(s *share, to v1alpha1.TenancyEntry, size int) bool {
		fits := omitted == 0 && used+size-s.used <= room
		if fits {
			used += size - s.used
			s.kept = to
		}
		return fits
	}
	for i := range shares {
		s := &shares[i]
		healthy := s.all.Phase == v1alpha1.TenancyReady
		if healthy {
			room = min(room, quiet-slack)
		}
		if !grow(s, s.all, s.whole) && !healthy {
			some := troubled(s.all)
			grow(s, some, size(some))
		}
		kept = append(kept, s.kept)
	}
	return omitted, kept
}

// bare is a tenancy without its releases.
func bare(t v1alpha1.TenancyEntry) v1alpha1.TenancyEntry {
	t.Omitted += int32(len(t.Releases))
	t.Releases = nil
	return t
}

// troubled is a tenancy with the releases that are not ready, and with the pods of
// those that are not.
func troubled(t v1alpha1.TenancyEntry) v1alpha1.TenancyEntry {
	var kept []v1alpha1.ReleaseStatus
	for _, rel := range t.Releases {
		if rel.Ready {
			continue
		}
		rel.Pods = slices.DeleteFunc(slices.Clone(rel.Pods), func(p v1alpha1.PodStatus) bool { return p.Ready })
		kept = append(kept, rel)
	}
	t.Omitted += int32(len(t.Releases) - len(kept))
	t.Releases = kept
	return t
}

// FitTenancy leaves pods out of a status, those that are ready first, until it is
// small enough to be stored. With fewer than some thousand pods it never does.
func FitTenancy(status v1alpha1.TenancyStatus) v1alpha1.TenancyStatus {
	entries := 0
	for _, rel := range status.Releases {
		entries += 1 + len(rel.Workloads) + len(rel.Pods)
	}
	if entries <= alwaysFits {
		return status // as nearly every one
	}
	room := detail - slack
	for _, ready := range []bool{true, false} {
		over := size(status.Releases) - room
		if over <= 0 {
			return status
		}
		status.Releases = slices.Clone(status.Releases)
		for i := len(status.Releases) - 1; i >= 0; i-- {
			status.Releases[i].Pods = slices.DeleteFunc(slices.Clone(status.Releases[i].Pods), func(p v1alpha1.PodStatus) bool {
				if over <= 0 || p.Ready != ready {
					return false
				}
				over -= size(p)
				status.Omitted++
				return true
			})
		}
	}
	return status
}

// size is what a value weighs as JSON, with the comma after it.
func size(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0 // no type of a status has a value without JSON
	}
	return len(data) + 1
}
