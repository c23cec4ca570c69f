package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// The work: tenancies of two releases each, from the example charts.
const (
	deploymentChart  = "deployment-example"
	statefulSetChart = "statefulset-example"
	webRelease       = "web"
	storeRelease     = "store"
	// deploymentName is the Deployment of release web, of which an edit changes the
	// grace period: that replaces its pods and touches no other object.
	deploymentName = webRelease + "-" + deploymentChart
	graceSetting   = "terminationGracePeriodSeconds"
	// The grace periods: of the chart, after the single edits, after the upgrade of
	// all, and after the edits while pods flap.
	firstGrace, editGrace, upgradeGrace, flapGrace = 30, 31, 32, 33
)

// workload says how much there is to do.
type workload struct {
	Tenancies int
}

// release is one of the releases of a tenancy, as helm is told of it.
type release struct {
	name, chart string
	settings    []v1alpha1.Setting
}

func namespace(i int) string { return fmt.Sprintf("tenancy-%04d", i) }

// replicas are the pods of the two releases: 3 in a tenancy, and 5 where many
// tenancies are to have many pods.
func (w workload) replicas() (web, store int) {
	if w.Tenancies > 100 {
		return 3, 2
	}
	return 2, 1
}

func (w workload) pods() int {
	web, store := w.replicas()
	return w.Tenancies * (web + store)
}

// releases are those of any tenancy, with the grace period of web's pods.
func (w workload) releases(grace int) []release {
	web, store := w.replicas()
	return []release{
		{name: webRelease, chart: deploymentChart, settings: []v1alpha1.Setting{
			{Key: "replicaCount", Value: fmt.Sprint(web)},
			{Key: graceSetting, Value: fmt.Sprint(grace)},
		}},
		{name: storeRelease, chart: statefulSetChart, settings: []v1alpha1.Setting{
			{Key: "replicas", Value: fmt.Sprint(store)},
			{Key: "persistence.enabled", Value: "false"},
		}},
	}
}

// controllerName is the Controller that the operator gets.
const controllerName = "bench"

// first adds the first revision of each release of a tenancy to what is wanted.
func (w workload) first(want map[string]int, tenancy int) {
	for _, rel := range w.releases(firstGrace) {
		want[namespace(tenancy)+"/"+rel.name] = 1
	}
}

// empty is the Controller without any tenancies.
func empty() *v1alpha1.Controller {
	return &v1alpha1.Controller{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Controller"},
		ObjectMeta: metav1.ObjectMeta{Name: controllerName},
	}
}

// controller lists all tenancies, with the grace period of their web pods.
func (w workload) controller(grace int) *v1alpha1.Controller {
	cr := empty()
	for i := range w.Tenancies {
		t := v1alpha1.TenancySpec{Namespace: namespace(i)}
		for _, rel := range w.releases(grace) {
			t.Charts = append(t.Charts, v1alpha1.Chart{ChartName: rel.chart, ReleaseName: rel.name, Settings: rel.settings})
		}
		cr.Spec.Tenancies = append(cr.Spec.Tenancies, t)
	}
	return cr
}

// gracePath is where a Controller has the grace period of a tenancy, as a JSON pointer.
func gracePath(tenancy int) string {
	return fmt.Sprintf("/spec/tenancies/%d/charts/0/settings/1/value", tenancy)
}
