package fleet

// Existing says what becomes of an object that was there before the set.
type Existing string

// What becomes of an object that was there before the set.
const (
	// ExistingError refuses it.
	ExistingError Existing = "error"
	// ExistingIfSame adopts it where it equals what the set wants, in the fields the set speaks of.
	ExistingIfSame Existing = "if_same"
	// ExistingAdopt adopts and changes it.
	ExistingAdopt Existing = "adopt"
)

// OnAdopted says what becomes of an adopted object in the end.
type OnAdopted string

// What becomes of an adopted object in the end.
const (
	// OnAdoptedRelease leaves it where and as it is.
	OnAdoptedRelease OnAdopted = "release"
	// OnAdoptedDelete deletes it like an object of the set's own.
	OnAdoptedDelete OnAdopted = "delete"
)

// Conflicts says what to do about a field that another manager owns.
type Conflicts string

// What to do about a field that another manager owns.
const (
	// ConflictsError stops the plan.
	ConflictsError Conflicts = "error"
	// ConflictsForce takes the field.
	ConflictsForce Conflicts = "force"
	// ConflictsYield leaves the field to the other manager for as long as it owns it.
	ConflictsYield Conflicts = "yield"
)

// Drift says what to do about a field of the set's that somebody changed.
type Drift string

// What to do about a field of the set's that somebody changed.
const (
	// DriftCorrect puts it right.
	DriftCorrect Drift = "correct"
	// DriftReport warns and changes nothing.
	DriftReport Drift = "report"
)

// Missing says what to do about an object of the set's that is gone.
type Missing string

// What to do about an object of the set's that is gone.
const (
	// MissingRecreate creates it again.
	MissingRecreate Missing = "recreate"
	// MissingIgnore lets it be gone until its manifest changes.
	MissingIgnore Missing = "ignore"
)

// Unserved says what to do about an object whose kind a cluster does not serve.
type Unserved string

// What to do about an object whose kind a cluster does not serve.
const (
	// UnservedError stops the plan.
	UnservedError Unserved = "error"
	// UnservedSkip leaves the object out on that cluster until it serves the kind.
	UnservedSkip Unserved = "skip"
)

// Deletion says what becomes of an object that the set created and no longer wants.
type Deletion string

// What becomes of an object that the set created and no longer wants.
const (
	// DeletionDelete deletes it.
	DeletionDelete Deletion = "delete"
	// DeletionOrphan gives it up and leaves it where and as it is.
	DeletionOrphan Deletion = "orphan"
)
