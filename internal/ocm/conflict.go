package ocm

import (
	"regexp"
	"strings"
	"time"
)

// Claim is a field that another manager owns, as an API server names it in the message of a refused apply.
type Claim struct {
	// Manager is the field manager that owns the field, and Subresource what it wrote through; usually empty.
	Manager, Subresource string
	// Update tells that the manager has written the field by an update, and Time when; otherwise it has applied it.
	Update bool
	Time   time.Time
	// Field is its path in the API server's grammar, such as `.spec.template.spec.containers[name="web"].image`.
	Field string
}

var (
	refused = regexp.MustCompile(`Apply failed with \d+ conflicts?: `)
	// The version, and the time, are told of updates only.
	claimed = regexp.MustCompile(`conflicts? with "((?:[^"\\]|\\.)*)"(?: with subresource "([^"]*)")?( using [^:\s]+(?: at (\S+?Z))?)?:`)
)

// Claims reads what stands in the way of an apply from the message of an agent, which has no other way to tell. It is empty where the
// message speaks of something else.
func Claims(message string) []Claim {
	at := refused.FindStringIndex(message)
	if at == nil {
		return nil
	}
	text := message[at[1]:]
	heads := claimed.FindAllStringSubmatchIndex(text, -1)
	var claims []Claim
	for i, head := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		group := func(n int) string {
			if head[2*n] < 0 {
				return ""
			}
			return text[head[2*n]:head[2*n+1]]
		}
		claim := Claim{Manager: group(1), Subresource: group(2), Update: group(3) != ""}
		claim.Time, _ = time.Parse(time.RFC3339, group(4))
		for line := range strings.SplitSeq(text[head[1]:end], "\n") {
			if field := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "- ")); strings.HasPrefix(field, ".") {
				claim.Field = field
				claims = append(claims, claim)
			}
		}
	}
	return claims
}
