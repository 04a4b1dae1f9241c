package fleet

// What the provider adds to every object it applies; hidden wherever an object's fields are shown.
const (
	// PartOfLabel names the set an object belongs to, by the id of its inventory; KEP-3659 defines the name.
	PartOfLabel = "applyset.kubernetes.io/part-of"
	// CreatedAnnotation marks the objects that the set itself created; only these are ever deleted.
	CreatedAnnotation = "fleet.fleetform.io/created"
	// HiddenAnnotation marks the objects of which no value may be shown, because their manifests were write-only ("*"), or not those
	// of some fields (their patterns, one a line).
	HiddenAnnotation = "fleet.fleetform.io/hidden"
	// SentAnnotation tells one writing of an object from another, where only what an agent reports of the object tells what became of it.
	SentAnnotation = "fleet.fleetform.io/sent"
)

// TemplateAnnotation says of one document of a manifest, by "true" or "false", whether its strings are templates; it is not sent.
const TemplateAnnotation = "fleet.fleetform.io/template"
