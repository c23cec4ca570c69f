package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// fieldManager is the bench as the API server knows it.
const fieldManager = "bench"

// install applies the Controller and waits until all records say deployed.
func (o *operator) install(ctx context.Context) (time.Duration, error) {
	want := map[string]int{}
	for i := range o.workload.Tenancies {
		o.workload.first(want, i)
	}
	profiled := o.profile(ctx, phaseInstall)
	took, err := o.apply(ctx, o.workload.controller(firstGrace), want)
	if err != nil {
		return 0, err
	}
	return took, profiled()
}

// upgrade changes the grace period of all tenancies in one edit, as install does.
func (o *operator) upgrade(ctx context.Context) (time.Duration, error) {
	want := o.next()
	profiled := o.profile(ctx, phaseUpgrade)
	took, err := o.apply(ctx, o.workload.controller(upgradeGrace), want)
	if err != nil {
		return 0, err
	}
	return took, profiled()
}

// next are the revisions that an edit of release web in every tenancy leads to.
func (o *operator) next() map[string]int {
	want := map[string]int{}
	for i := range o.workload.Tenancies {
		name := namespace(i) + "/" + webRelease
		want[name] = o.records.revision(name) + 1
	}
	return want
}

// apply writes the whole spec, server-side, and waits for the revisions it leads to.
func (o *operator) apply(ctx context.Context, spec *v1alpha1.Controller, want map[string]int) (time.Duration, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return 0, fmt.Errorf("encode the Controller: %w", err)
	}
	o.applied = time.Now()
	cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: controllerName}}
	force := true
	err = o.controller.client.Patch(ctx, cr, client.RawPatch(types.ApplyPatchType, text), &client.PatchOptions{FieldManager: fieldManager, Force: &force})
	if err != nil {
		return 0, fmt.Errorf("apply the Controller: %w", err)
	}
	err = o.records.await(ctx, want)
	return time.Since(o.applied), err
}

// deployed is how long each tenancy took until all its releases were deployed for the
// first time, from when the spec was applied last; 0 for one that is not yet.
func (o *operator) deployed() []time.Duration {
	out := make([]time.Duration, o.workload.Tenancies)
	for i := range out {
		want := map[string]int{}
		o.workload.first(want, i)
		if at, all := o.records.firstDeployed(want); all {
			out[i] = at.Sub(o.applied)
		}
	}
	return out
}

// edit changes the grace period of one tenancy after the other.
func (o *operator) edit(ctx context.Context, n int) ([]edited, error) {
	var out []edited
	for i := range n {
		one, sent, err := o.editOne(ctx, i, editGrace)
		if err != nil {
			return nil, err
		}
		at, err := o.controller.awaitReady(ctx, sent.generation, o.workload.pods())
		if err != nil {
			return nil, err
		}
		one.Ready = at.Sub(sent.at)
		out = append(out, one)
	}
	return out, nil
}

// sent is an edit that the API server has answered.
type sent struct {
	at         time.Time // when it was sent
	generation int64     // that it made
}

// editOne gives the web pods of a tenancy another grace period, and returns when the
// new ones run.
func (o *operator) editOne(ctx context.Context, tenancy, grace int) (edited, sent, error) {
	var s sent
	var answered time.Duration
	one, err := timeEdit(ctx, o.stage.admin, tenancy, int64(grace), func(ctx context.Context) (err error) {
		s.at = time.Now()
		s.generation, err = o.patch(ctx, replaceText(gracePath(tenancy), grace))
		answered = time.Since(s.at)
		return err
	})
	one.Answered = answered
	return one, s, err
}

// replaceText is a JSON patch that sets the number, written as text, at a path.
func replaceText(path string, number int) string {
	return fmt.Sprintf(`[{"op":"replace","path":%q,"value":"%d"}]`, path, number)
}

// patch edits the Controller, and returns its new generation. The answer is asked for
// without the content: reading it would take longer than the answer tells.
func (o *operator) patch(ctx context.Context, patch string) (int64, error) {
	cr := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: controllerName}}
	cr.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Controller"))
	if err := o.controller.client.Patch(ctx, cr, client.RawPatch(types.JSONPatchType, []byte(patch)), client.FieldOwner(fieldManager)); err != nil {
		return 0, fmt.Errorf("edit the Controller: %w", err)
	}
	return cr.Generation, nil
}

// ready waits until the Controller says that all of the workload is ready, and
// returns how large it is then.
func (o *operator) ready(ctx context.Context) (size int, err error) {
	now := o.controller.now()
	if _, err := o.controller.awaitReady(ctx, now.generation, o.workload.pods()); err != nil {
		return 0, err
	}
	return o.controller.size(ctx)
}

// restart stops the operator, edits the spec in a way that asks for nothing, and
// starts it again. It returns how long the new process took until the status
// answered the edit and was right. The edit tells the new status from the old one.
func (o *operator) restart(ctx context.Context) (time.Duration, error) {
	if err := o.stop(); err != nil {
		return 0, err
	}
	generation, err := o.patch(ctx, `[{"op":"replace","path":"/spec/maxRemovals","value":11}]`)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := o.start(ctx); err != nil {
		return 0, err
	}
	at, err := o.controller.awaitReady(ctx, generation, o.workload.pods())
	return at.Sub(begin), err
}

// uninstall deletes the Controller and waits until it is gone.
func (o *operator) uninstall(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: controllerName}}
	if err := o.controller.client.Delete(ctx, cr); err != nil {
		return 0, fmt.Errorf("delete the Controller: %w", err)
	}
	err := o.controller.awaitGone(ctx)
	return time.Since(begin), err
}
