package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// severity orders pods by how much they tell.
type severity int

const (
	// unready is running, and does not answer its probe.
	unready severity = iota
	// starting is held up before its containers run.
	starting
	// unplaced has no node.
	unplaced
	// broken will not run as it is.
	broken
)

// suspect is a pod that is not as it should be.
type suspect struct {
	pod  corev1.Pod
	what string
	rank severity
	// inconclusive says that the warnings about the pod would tell more.
	inconclusive bool
}

// text tells of the pod, and how many others have the same trouble.
func (s suspect) text(all []suspect) string {
	same := 0
	for _, other := range all {
		if other.rank == s.rank && other.what == s.what {
			same++
		}
	}
	text := fmt.Sprintf("pod %s: %s", s.pod.Name, s.what)
	if same > 1 {
		text += fmt.Sprintf(", and %s like it", fleet.Plural(same-1, "pod"))
	}
	return text
}

// suspects are the pods that are not as they should be, the most telling first: the worst, then the newest, because
// older ones may be of a former revision.
func (a surroundings) suspects() []suspect {
	var list []suspect
	for _, pod := range a.pods {
		if s := suspectPod(pod, a.warnings[pod.UID]); s != nil {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(a, b suspect) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), b.pod.CreationTimestamp.Compare(a.pod.CreationTimestamp.Time),
			cmp.Compare(a.pod.Name, b.pod.Name), cmp.Compare(a.what, b.what))
	})
	return list
}

// suspectPod tells what is wrong with the pod; nil where nothing is.
func suspectPod(pod corev1.Pod, warnings []corev1.Event) *suspect {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	if s := containers(pod, warnings); s != nil {
		return s
	}
	if pod.Status.Phase == corev1.PodFailed {
		what := cmp.Or(pod.Status.Reason, "Failed")
		if pod.Status.Message != "" {
			what += " (" + sentence(pod.Status.Message) + ")"
		}
		return &suspect{pod: pod, what: what, rank: broken}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			what := cmp.Or(c.Reason, "not scheduled")
			if c.Message != "" {
				what += " (" + sentence(c.Message) + ")"
			}
			return &suspect{pod: pod, what: what, rank: unplaced, inconclusive: c.Message == ""}
		}
	}
	return laggard(pod, warnings)
}

// laggard is a pod that may still get there.
func laggard(pod corev1.Pod, warnings []corev1.Event) *suspect {
	if pod.Status.Phase == corev1.PodRunning {
		for _, c := range pod.Status.Conditions {
			if c.Type != corev1.PodReady || c.Status == corev1.ConditionTrue {
				continue
			}
			if e := warned(warnings, "Unhealthy"); e != "" {
				return &suspect{pod: pod, what: "not ready (" + e + ")", rank: unready}
			}
			what := "running, not ready"
			if c.Reason == "ReadinessGatesNotReady" && c.Message != "" {
				what += " (" + sentence(c.Message) + ")"
			}
			return &suspect{pod: pod, what: what, rank: unready, inconclusive: true}
		}
		return nil
	}
	what := "Pending"
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Waiting != nil {
			what = s.State.Waiting.Reason
			break
		}
	}
	if e := warned(warnings, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedScheduling", "FailedBinding"); e != "" {
		return &suspect{pod: pod, what: what + " (" + e + ")", rank: starting}
	}
	return &suspect{pod: pod, what: what, rank: starting, inconclusive: true}
}

// warned is the newest of the warnings that has one of the reasons.
func warned(warnings []corev1.Event, reasons ...string) string {
	for _, e := range warnings {
		if slices.Contains(reasons, e.Reason) {
			return sentence(e.Message)
		}
	}
	return ""
}

// containers tells of a container that does not start, or does not stay. Init containers come first, as they do.
func containers(pod corev1.Pod, warnings []corev1.Event) *suspect {
	several := len(pod.Spec.Containers)+len(pod.Spec.InitContainers) > 1
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		what, inconclusive := container(s, image(pod, s), warnings)
		if what == "" {
			continue
		}
		if several {
			what = "container " + s.Name + ": " + what
		}
		return &suspect{pod: pod, what: what, rank: broken, inconclusive: inconclusive}
	}
	return nil
}

// image is what the pod asks for, as the user wrote it.
func image(pod corev1.Pod, s corev1.ContainerStatus) string {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.Name == s.Name {
			return c.Image
		}
	}
	return s.Image
}

func container(s corev1.ContainerStatus, image string, warnings []corev1.Event) (what string, inconclusive bool) {
	if t := s.State.Terminated; t != nil {
		if t.ExitCode == 0 && t.Signal == 0 {
			return "", false
		}
		return exit(t), false
	}
	w := s.State.Waiting
	if w == nil {
		return "", false
	}
	switch w.Reason {
	case "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable":
		cause := pullFailure(w.Message, image)
		for _, e := range warnings {
			if cause == "" && e.Reason == "Failed" && strings.Contains(e.Message, "Failed to pull image") && strings.Contains(e.Message, image) {
				cause = pullFailure(e.Message, image)
			}
		}
		if cause == "" {
			return fmt.Sprintf("%s (%s)", w.Reason, image), w.Reason != "InvalidImageName" && w.Reason != "ErrImageNeverPull"
		}
		return fmt.Sprintf("%s (%s %s)", w.Reason, image, cause), false
	case "CrashLoopBackOff":
		if t := s.LastTerminationState.Terminated; t != nil {
			return fmt.Sprintf("CrashLoopBackOff (%s, %s)", fleet.Plural(s.RestartCount, "restart"), exit(t)), false
		}
		return fmt.Sprintf("CrashLoopBackOff (%s)", fleet.Plural(s.RestartCount, "restart")), true
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		if w.Message == "" {
			return w.Reason, true
		}
		return w.Reason + " (" + sentence(w.Message) + ")", false
	}
	return "", false
}

// exit tells how a container ended, with the last line of what it left behind.
func exit(t *corev1.ContainerStateTerminated) string {
	var what string
	switch {
	case t.Reason == "OOMKilled":
		what = "OOMKilled: it used more memory than its limit"
	case t.Signal != 0:
		what = fmt.Sprintf("killed by signal %d", t.Signal)
	default:
		what = fmt.Sprintf("exit code %d", t.ExitCode)
		if t.Reason != "" && t.Reason != "Error" {
			what += ", " + t.Reason
		}
	}
	lines := strings.Split(strings.TrimSpace(t.Message), "\n")
	if last := sentence(lines[len(lines)-1]); last != "" {
		what += ": " + last
	}
	return what
}

// pullFailure tells in two words why an image could not be pulled; empty where the message does not tell.
func pullFailure(message, image string) string {
	// The name of an image may have any of the words below in it.
	lower := strings.ToLower(strings.ReplaceAll(message, image, ""))
	for _, cause := range []struct {
		what  string
		marks []string
	}{
		{"cannot be pulled: too many requests to the registry", []string{"toomanyrequests", "429 too many", "rate limit"}},
		{"cannot be pulled: access denied, or no such repository", []string{"pull access denied", "insufficient_scope"}},
		{"cannot be pulled: access denied", []string{"unauthorized", "authentication required", "forbidden", "denied"}},
		{"has no image for this node's platform", []string{"no match for platform", "no matching manifest"}},
		{"not found", []string{"not found", "notfound", "manifest unknown"}},
		{"cannot be pulled: the registry's certificate is not trusted", []string{"x509:"}},
		{"cannot be pulled: the registry's name does not resolve", []string{"no such host"}},
		{"cannot be pulled: the registry does not answer", []string{"timeout", "deadline exceeded", "connection refused", "network is unreachable", "no route to host", ": eof"}},
		{"is not on the node, and imagePullPolicy is Never", []string{"is not present with pull policy of never"}},
		{"is no name of an image", []string{"invalid reference format", "failed to apply default image tag"}},
		{"cannot be pulled: the node's disk is full", []string{"no space left"}},
	} {
		if slices.ContainsFunc(cause.marks, func(mark string) bool { return strings.Contains(lower, mark) }) {
			return cause.what
		}
	}
	return ""
}
