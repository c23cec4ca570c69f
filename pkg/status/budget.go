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
	// whatever else the object holds.
	wanted = 512 << 10
	least  = 64 << 10
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

// Fit leaves detail out of a status until it weighs no more than a number of bytes.
// A status that fits is returned as it is. In another one the tenancies that are not
// ready come first, each group in the order it was in, and detail goes where it is
// missed least: each tenancy is shown with its phase and message, then as many as fit
// get their releases, then as many of the others those that are not ready.
// What does not fit even so is left out from the end. What is left out is counted in
// omitted, and the summary counts everything.
func Fit(status v1alpha1.ControllerStatus, room int) v1alpha1.ControllerStatus {
	room -= slack
	sizes, total := make([]int, len(status.Tenancies)), 0
	for i, t := range status.Tenancies {
		sizes[i] = size(t)
		total += sizes[i]
	}
	if total <= room {
		return status
	}
	order := make([]int, 0, len(sizes))
	for _, healthy := range []bool{false, true} {
		for i, t := range status.Tenancies {
			if (t.Phase == v1alpha1.TenancyReady) == healthy {
				order = append(order, i)
			}
		}
	}
	kept := make([]v1alpha1.TenancyEntry, 0, len(order))
	for _, i := range order {
		t := bare(status.Tenancies[i])
		if room -= size(t); room < 0 {
			break
		}
		kept = append(kept, t)
	}
	status.Omitted = int32(len(order) - len(kept))
	if status.Omitted == 0 {
		restore(kept, status.Tenancies, order, sizes, room)
	}
	status.Tenancies = kept
	return status
}

// restore gives tenancies their releases back as long as there is room.
func restore(kept, all []v1alpha1.TenancyEntry, order, sizes []int, room int) {
	for k, i := range order {
		before := size(kept[k])
		if more := sizes[i] - before; more <= room {
			room -= more
			kept[k] = all[i]
			continue
		}
		if t := troubled(all[i]); size(t)-before <= room {
			room -= size(t) - before
			kept[k] = t
		}
	}
}

// bare is a tenancy without its releases.
func bare(t v1alpha1.TenancyEntry) v1alpha1.TenancyEntry {
	t.Omitted = int32(len(t.Releases))
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
	t.Omitted = int32(len(t.Releases) - len(kept))
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
