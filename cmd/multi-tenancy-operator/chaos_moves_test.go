package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

const (
	chaosPrefix  = "chaos-"
	chaosTenants = 10
	// chaosValues is the ConfigMap that every chart may take values from.
	chaosValues = "values"
)

func chaosNamespace(i int) string { return fmt.Sprint(chaosPrefix, i) }

// breakable is a chart whose template fails when it is told to, and whose objects
// show where their values came from.
func breakable(c fixture.Chart) fixture.Chart {
	for path, text := range c.Files {
		if strings.HasPrefix(path, "templates/") {
			c.Files[path] = `{{ if .Values.broken }}{{ fail "broken" }}{{ end }}` + "\n" +
				strings.Replace(text, "metadata:\n", "metadata:\n  labels: {from: {{ .Values.from | default \"chart\" | quote }}}\n", 1)
		}
	}
	return c
}

// moves are the edits of a spec that people make. None makes it one the API server
// refuses; one that finds nothing to do does nothing.
var moves = map[string]func(*rand.Rand, *v1alpha1.ControllerSpec){
	"add a tenancy": func(r *rand.Rand, s *v1alpha1.ControllerSpec) {
		ns := chaosNamespace(r.IntN(chaosTenants))
		if !slices.ContainsFunc(s.Tenancies, func(tn v1alpha1.TenancySpec) bool { return tn.Namespace == ns }) {
			s.Tenancies = append(s.Tenancies, randomTenancy(r, ns))
		}
	},
	"remove a tenancy": func(r *rand.Rand, s *v1alpha1.ControllerSpec) {
		if i := r.IntN(chaosTenants); i < len(s.Tenancies) && i%2 == 0 {
			s.Tenancies = slices.Delete(s.Tenancies, i, i+1)
		}
	},
	"add a chart": inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) { addChart(r, tn) }),
	"remove a chart": inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) {
		if n := len(tn.Charts); n > 0 {
			i := r.IntN(n)
			tn.Charts = slices.Delete(tn.Charts, i, i+1)
		}
	}),
	"rename a release": inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) {
		if name := freeName(r, *tn); len(tn.Charts) > 0 && name != "" {
			tn.Charts[r.IntN(len(tn.Charts))].ReleaseName = name
		}
	}),
	"another chart": inChart(func(r *rand.Rand, c *v1alpha1.Chart) { c.ChartName = pick(r, "web", "conf") }),
	"set": inChart(func(r *rand.Rand, c *v1alpha1.Chart) {
		c.Settings = []v1alpha1.Setting{{Key: "text", Value: fmt.Sprint("text-", r.IntN(1000))}, {Key: "replicaCount", Value: fmt.Sprint(1 + r.IntN(3))}}
	}),
	"empty the settings": inChart(func(_ *rand.Rand, c *v1alpha1.Chart) { c.Settings = nil }),
	"reorder": inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) {
		r.Shuffle(len(tn.Charts), func(i, j int) { tn.Charts[i], tn.Charts[j] = tn.Charts[j], tn.Charts[i] })
	}),
	"reorder tenancies": func(r *rand.Rand, s *v1alpha1.ControllerSpec) {
		r.Shuffle(len(s.Tenancies), func(i, j int) { s.Tenancies[i], s.Tenancies[j] = s.Tenancies[j], s.Tenancies[i] })
	},
	"suspend or resume a tenancy": inTenancy(func(_ *rand.Rand, tn *v1alpha1.TenancySpec) { tn.Suspend = !tn.Suspend }),
	"suspend or resume a release": inChart(func(_ *rand.Rand, c *v1alpha1.Chart) { c.Suspend = new(c.Suspend == nil || !*c.Suspend) }),
	"what follows a failure": inChart(func(r *rand.Rand, c *v1alpha1.Chart) {
		c.OnFailure = pick(r, v1alpha1.FailureRetry, v1alpha1.FailureRollback, v1alpha1.FailureHold)
	}),
	"what follows drift": inChart(func(r *rand.Rand, c *v1alpha1.Chart) {
		c.Drift = pick(r, "", v1alpha1.DriftCorrect, v1alpha1.DriftWarn, v1alpha1.DriftIgnore)
	}),
	"break or mend a chart": inChart(func(_ *rand.Rand, c *v1alpha1.Chart) {
		if isBroken := func(s v1alpha1.Setting) bool { return s.Key == "broken" }; slices.ContainsFunc(c.Settings, isBroken) {
			c.Settings = slices.DeleteFunc(c.Settings, isBroken)
			return
		}
		c.Settings = append(c.Settings, v1alpha1.Setting{Key: "broken", Value: "true"})
	}),
	"values from a ConfigMap, or no more": inChart(func(_ *rand.Rand, c *v1alpha1.Chart) {
		if len(c.ValuesFrom) > 0 {
			c.ValuesFrom = nil
			return
		}
		c.ValuesFrom = []v1alpha1.ValuesReference{from(v1alpha1.ReferenceConfigMap, chaosValues, "", "", false)}
	}),
	"nothing": func(*rand.Rand, *v1alpha1.ControllerSpec) {}, // and something by hand, see randomMove
}

// mendSpec leaves nothing in a spec that keeps it from being reached: not what is
// broken or suspended, nor what waits for a person after a failure or after drift.
func mendSpec(s *v1alpha1.ControllerSpec) {
	for i := range s.Tenancies {
		s.Tenancies[i].Suspend = false
		for j := range s.Tenancies[i].Charts {
			c := &s.Tenancies[i].Charts[j]
			c.Suspend, c.OnFailure, c.Drift = nil, v1alpha1.FailureRetry, v1alpha1.DriftCorrect
			c.Settings = slices.DeleteFunc(c.Settings, func(s v1alpha1.Setting) bool { return s.Key == "broken" })
		}
	}
}

// randomMove makes one edit. The same seed and number make the same one of the
// same spec.
func randomMove(t *testing.T, name string, seed, number uint64) {
	t.Helper()
	random := func() *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }
	names := []string{"edit the values by hand", "delete an object by hand", "add a tenancy", "add a chart", "set"} // these more often
	for move := range moves {
		names = append(names, move)
	}
	slices.Sort(names)
	move := pick(random(), names...)
	r := random()
	switch move {
	case "edit the values by hand":
		patch := fmt.Sprintf(`{"data":{"values.yaml":"from: v%d"}}`, r.IntN(1000))
		ns := chaosNamespace(r.IntN(chaosTenants))
		if _, err := world.kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), chaosValues, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	case "delete an object by hand":
		s := get(t, name).Spec
		inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) {
			if len(tn.Charts) > 0 {
				deleteObject(t, *tn, tn.Charts[r.IntN(len(tn.Charts))])
			}
		})(r, &s)
	default:
		edit(t, name, func(s *v1alpha1.ControllerSpec) { moves[move](random(), s) })
	}
}

func deleteObject(t *testing.T, tn v1alpha1.TenancySpec, c v1alpha1.Chart) {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: tn.Namespace, Name: c.ReleaseName + "-" + c.ChartName}
	var object client.Object = &corev1.ConfigMap{ObjectMeta: meta}
	if c.ChartName == "web" {
		object = deploymentOf(meta)
	}
	if err := client.IgnoreNotFound(world.client.Delete(t.Context(), object)); err != nil {
		t.Fatal(err)
	}
}

// inTenancy changes some tenancy.
func inTenancy(change func(*rand.Rand, *v1alpha1.TenancySpec)) func(*rand.Rand, *v1alpha1.ControllerSpec) {
	return func(r *rand.Rand, s *v1alpha1.ControllerSpec) {
		if n := len(s.Tenancies); n > 0 {
			change(r, &s.Tenancies[r.IntN(n)])
		}
	}
}

// inChart changes some chart.
func inChart(change func(*rand.Rand, *v1alpha1.Chart)) func(*rand.Rand, *v1alpha1.ControllerSpec) {
	return inTenancy(func(r *rand.Rand, tn *v1alpha1.TenancySpec) {
		if n := len(tn.Charts); n > 0 {
			change(r, &tn.Charts[r.IntN(n)])
		}
	})
}

func randomTenancy(r *rand.Rand, ns string) v1alpha1.TenancySpec {
	tn := v1alpha1.TenancySpec{Namespace: ns}
	for range 1 + r.IntN(3) {
		addChart(r, &tn)
	}
	return tn
}

func addChart(r *rand.Rand, tn *v1alpha1.TenancySpec) {
	if name := freeName(r, *tn); name != "" && len(tn.Charts) < 4 {
		tn.Charts = append(tn.Charts, install(pick(r, "web", "conf"), name))
	}
}

// freeName is a name that no release of a tenancy has; empty when it cannot be found.
func freeName(r *rand.Rand, tn v1alpha1.TenancySpec) string {
	name := fmt.Sprint("r", r.IntN(6))
	if slices.ContainsFunc(tn.Charts, func(c v1alpha1.Chart) bool { return c.ReleaseName == name }) {
		return ""
	}
	return name
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
