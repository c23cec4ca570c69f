package plan

// Action is what a step does.
type Action string

// The actions.
const (
	// None: nothing is to be done.
	None Action = ""
	// Hold: something would be to be done, and a person must decide first.
	Hold Action = "hold"
	// Wait: something would be to be done, and somebody else must finish first.
	Wait Action = "wait"
	// Protect puts the guardrails of a tenancy in place.
	Protect Action = "protect"
	// Install makes the first revision.
	Install Action = "install"
	// Upgrade makes the next revision.
	Upgrade Action = "upgrade"
	// Recover marks the revision failed that a dead operation left pending, and
	// makes the next one.
	Recover Action = "recover"
	// Rollback makes a revision like an earlier one.
	Rollback Action = "rollback"
	// Correct looks at objects that somebody touched, and puts them back.
	Correct Action = "correct"
	// Verify notes that the release was seen ready.
	Verify Action = "verify"
	// Test runs the release's tests.
	Test Action = "test"
	// Uninstall removes the release, or goes on with a removal that was interrupted.
	Uninstall Action = "uninstall"
)

// Runs says that the action is work for the queue.
func (a Action) Runs() bool {
	switch a {
	case Protect, Install, Upgrade, Recover, Rollback, Correct, Verify, Test, Uninstall:
		return true
	}
	return false
}

// makes says that the action can make objects in the namespace.
func (a Action) makes() bool {
	switch a {
	case Install, Upgrade, Recover, Rollback, Correct, Test:
		return true
	}
	return false
}

// Changes says that the action makes a revision, or takes them all away.
func (a Action) Changes() bool {
	switch a {
	case Install, Upgrade, Recover, Rollback, Uninstall:
		return true
	}
	return false
}
