package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// resync is how long nothing may happen until everything is looked at again: as
// long as an operation is believed over informers that do not confirm it. At rest, when
// nothing is remembered of any release, only what others leave behind gets old.
const (
	resync = lag
	atRest = time.Minute
)

// Schedule turns the spec of the active Controller into jobs of the queue.
type Schedule struct {
	Client   client.Client
	Recorder events.EventRecorder
	Desired  *Desired
	Releases Releases
	// Namespaces makes the namespace of a tenancy before it has a release.
	Namespaces Namespaces
	Guards     *Guards
	Queue      Queue
	Watch      Watch
	Ledger     *Ledger
	Metrics    *Metrics
	// Wake is rung when release records, charts, references or operations change.
	Wake Wake

	shelters shelters
	breather breather
}

// SetupWithManager registers the reconciler.
func (s *Schedule) SetupWithManager(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("schedule").
		Watches(&v1alpha1.Controller{}, everything(), builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		WatchesRawSource(source.Channel(s.Wake, everything())).
		Complete(s)
}

// Reconcile looks at everything and hands what is to be done to the queue.
func (s *Schedule) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	if !s.Watch.Synced() {
		return done(), nil // Wake is rung when it is
	}
	began := time.Now()
	if wait := s.breather.left(began, breathOf(s.Queue)); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	defer func() { s.breather.take(began, time.Now(), longestAfterPass) }()
	all, err := list(ctx, s.Client)
	if err != nil {
		return done(), fmt.Errorf("list Controllers: %w", err)
	}
	if len(all) == 0 {
		s.hand(nil, nil, time.Now())
		s.follow(nil, nil)
		return done(), nil
	}
	active := &all[0]
	if err := s.dismiss(ctx, active, all[1:]); err != nil {
		return done(), err
	}
	return s.drive(ctx, active)
}

// drive plans for the active Controller.
func (s *Schedule) drive(ctx context.Context, cr *v1alpha1.Controller) (ctrl.Result, error) {
	if cr.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(cr, v1alpha1.Finalizer) {
		before := cr
		cr = before.DeepCopy()
		controllerutil.AddFinalizer(cr, v1alpha1.Finalizer)
		if err := s.Client.Patch(ctx, cr, since(before)); err != nil {
			return again(err)
		}
	}
	now := time.Now()
	want := s.Desired.Of(cr)
	have := s.Ledger.Overlay(s.Watch.Releases(), s.Watch.ReleasesUpTo(), now)
	mine := own(cr.Name, have)
	s.follow(want, mine)
	s.Ledger.Ask(cr.Annotations)
	orphaning := !cr.DeletionTimestamp.IsZero() && !deleting(cr)
	var steps []plan.Step
	found := health{}
	if !cr.Spec.Suspend && !orphaning {
		found = s.health(want, mine, now)
		steps = plan.Make(s.facts(cr, want, have, found, now))
	}
	steps, err := s.guard(ctx, cr, steps)
	if err != nil {
		return again(err)
	}
	s.Ledger.Decide(steps, found.probation, now)
	next := s.hand(cr, steps, now)
	if !orphaning {
		s.shelter(want, steps, now)
	}
	if !cr.DeletionTimestamp.IsZero() && len(s.Queue.Lanes()) == 0 && (orphaning || len(mine) == 0) {
		return s.release(ctx, cr)
	}
	rest := resync
	if s.Ledger.Empty() {
		rest = atRest
	}
	return ctrl.Result{RequeueAfter: soonest(next, found.next, rest)}, nil
}

// soonest is the shortest of the waits that there are; 0 is none.
func soonest(waits ...time.Duration) time.Duration {
	waits = slices.DeleteFunc(waits, func(w time.Duration) bool { return w <= 0 })
	return slices.Min(waits)
}

// facts gathers what a plan is made of.
func (s *Schedule) facts(cr *v1alpha1.Controller, want []tenancy.Tenancy, have []tenancy.Observed, found health, now time.Time) plan.Facts {
	memory := s.Ledger.Memory(now)
	touched := map[tenancy.Key][]tenancy.Object{}
	policies := map[tenancy.Key]v1alpha1.DriftPolicy{}
	for _, t := range want {
		for _, rel := range t.Releases {
			policies[rel.Key] = rel.Drift
		}
	}
	for _, o := range have {
		if o.Controller != cr.Name || o.Phase != tenancy.PhaseDeployed {
			continue
		}
		if objects := s.Ledger.Touched(o, policies[o.Key], s.Watch.Look, now); len(objects) > 0 {
			touched[o.Key] = objects
		}
	}
	return plan.Facts{
		Controller: cr.Name, Desired: want, Observed: have,
		Ready: found.ready, Late: found.late,
		Failures: memory.Failures, Passing: memory.Passing, Waiting: memory.Waiting, Reset: memory.Reset,
		Touched: touched,
		Gaps:    s.Guards.gaps(cr.Name, want, have),
		Tests:   tests(cr.Annotations[v1alpha1.AnnotationTest]),
	}
}

// hand gives the queue the steps that were planned and are due, lane by lane,
// and empties the lanes nobody has a step for. It returns when the next step
// falls due; 0 for never.
func (s *Schedule) hand(cr *v1alpha1.Controller, steps []plan.Step, planned time.Time) time.Duration {
	lanes := map[string][]queue.Job{}
	for lane := range s.Queue.Lanes() {
		lanes[lane] = nil
	}
	var next time.Duration
	for _, step := range steps {
		if !step.Action.Runs() {
			continue
		}
		wait, given := s.Ledger.Due(step, planned)
		if given {
			continue
		}
		if wait > 0 {
			next = soonest(next, wait)
			continue
		}
		lanes[step.Key.Namespace] = append(lanes[step.Key.Namespace], s.job(cr, step, planned))
	}
	for _, lane := range slices.Sorted(maps.Keys(lanes)) {
		s.Queue.Replace(lane, lanes[lane])
	}
	return next
}

// job is a step as work for the queue. If an operation on the release ended after
// the step was planned, the step is void: the end of that operation has woken
// the next pass.
func (s *Schedule) job(cr *v1alpha1.Controller, step plan.Step, planned time.Time) queue.Job {
	var applied tenancy.Applied
	var began time.Time
	var void bool
	var during context.Context
	return queue.Job{
		ID: step.Key.Name,
		Run: func(ctx context.Context) (err error) {
			if void = !s.Ledger.Begin(step, planned); void {
				return nil
			}
			began, during = time.Now(), ctx
			log.FromContext(ctx).V(1).Info("operation begins", "release", step.Key.String(), "action", string(step.Action), "reason", step.Reason)
			applied, err = s.run(ctx, cr.Name, step)
			return err
		},
		Done: func(err error) {
			if void {
				return
			}
			known := s.Ledger.Drift(step.Key)
			s.Ledger.End(cr.Name, step, applied, err, time.Now())
			s.Metrics.ended(step.Action, time.Since(began), err)
			s.Metrics.drifted(applied.Drifts)
			if err != nil || step.Action != plan.Correct || corrected(applied) || s.Ledger.Drift(step.Key) != known {
				s.tell(during, cr, step, applied, err)
			}
		},
	}
}

func (s *Schedule) run(ctx context.Context, controller string, step plan.Step) (tenancy.Applied, error) {
	switch step.Action {
	case plan.Protect:
		return tenancy.Applied{}, s.protect(ctx, controller, step)
	case plan.Install:
		return s.Releases.Install(ctx, controller, step.Release)
	case plan.Upgrade:
		return s.Releases.Upgrade(ctx, controller, step.Release)
	case plan.Recover:
		return s.Releases.Recover(ctx, controller, step.Release)
	case plan.Rollback:
		return s.Releases.Rollback(ctx, controller, step.Release, step.To, step.Reason)
	case plan.Correct:
		return s.Releases.Correct(ctx, step.Release, step.Suspects, func(o tenancy.Object) bool {
			return s.Ledger.MayCorrect(step.Release, o, time.Now())
		})
	case plan.Verify:
		return tenancy.Applied{}, s.Releases.Verify(ctx, step.Release, step.Revision)
	case plan.Test:
		return s.Releases.Test(ctx, step.Release, step.Request)
	case plan.Uninstall:
		return s.Releases.Uninstall(ctx, step.Release)
	}
	return tenancy.Applied{}, fmt.Errorf("action %q of release %s is none that runs", step.Action, step.Key)
}

// release lets a Controller go whose work is done.
func (s *Schedule) release(ctx context.Context, cr *v1alpha1.Controller) (ctrl.Result, error) {
	after := cr.DeepCopy()
	if !controllerutil.RemoveFinalizer(after, v1alpha1.Finalizer) {
		return done(), nil
	}
	return again(s.Client.Patch(ctx, after, since(cr)))
}
