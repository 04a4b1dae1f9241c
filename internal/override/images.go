package override

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// imageRules maps the full name of an image, docker.io/library/nginx, to what becomes of it.
type imageRules map[string]imageRule

type imageRule struct {
	// name is how the user wrote the present name.
	name string
	with Image
}

func parseImages(images map[string]Image) (imageRules, []Problem) {
	if len(images) == 0 {
		return nil, []Problem{{Argument: argumentImages, Detail: `there is no image in it; want { "nginx" = { tag = "1.29" } }`}}
	}
	rules := make(imageRules, len(images))
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(images)) {
		argument := fmt.Sprintf("%s[%q]", argumentImages, name)
		fail := func(attribute, detail string) {
			problems = append(problems, Problem{Argument: argument + attribute, Detail: detail})
		}
		full, complaint := bareName(name)
		switch before, twice := rules[full]; {
		case complaint != "":
			fail("", complaint)
		case twice:
			fail("", fmt.Sprintf("this is the same image as %q; leave one", before.name))
		default:
			rules[full] = imageRule{name, images[name]}
		}
		with := images[name]
		if with == (Image{}) {
			fail("", "want a name, a tag or a digest to write instead")
		}
		if _, complaint := bareName(with.Name); with.Name != "" && complaint != "" {
			fail(".name", complaint)
		}
		if with.Tag != "" && !isTag(with.Tag) {
			fail(".tag", fmt.Sprintf("%q is no tag; want letters, digits, dots, dashes and underscores, at most 128, without the colon", with.Tag))
		}
		if with.Digest != "" && digest.Digest(with.Digest).Validate() != nil {
			fail(".digest", fmt.Sprintf("%q is no digest; want one such as sha256: and 64 hexadecimal digits, without the @", with.Digest))
		}
	}
	return rules, problems
}

func isTag(tag string) bool { return reference.TagRegexp.FindString(tag) == tag }

// bareName returns the full name of an image that is given without tag and digest.
func bareName(name string) (full, complaint string) {
	const want = "want the name of an image such as nginx or registry.example.org:5000/team/web"
	parsed, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", fmt.Sprintf("%q is no name of an image: %s; %s", name, strings.TrimPrefix(err.Error(), "invalid reference format: "), want)
	}
	if !reference.IsNameOnly(parsed) {
		return "", fmt.Sprintf("%q has a tag or a digest, or is a registry with a port and no name behind it; %s, and give tag or digest beside it", name, want)
	}
	return parsed.Name(), ""
}

// apply changes the images of the object in place. It reports the names, as the rule has them, of the images it found, and the names of
// all images of the object.
func (r imageRules) apply(object map[string]any) (found []string, all []string) {
	eachImage(object, func(holder map[string]any, key string) {
		text, _ := holder[key].(string)
		parsed, err := reference.ParseNormalizedNamed(text)
		if err != nil {
			// It is not one of those the rule names; what else it is the server or the kubelet says.
			return
		}
		all = append(all, reference.FamiliarName(parsed))
		if rule, ok := r[parsed.Name()]; ok {
			found = append(found, rule.name)
			holder[key] = rule.with.rewrite(text, parsed)
		}
	})
	return found, all
}

// rewrite returns the text of an image with the parts that are given. The others stay as they were written.
func (i Image) rewrite(text string, parsed reference.Named) string {
	var tag, sum string
	name := text
	if digested, ok := parsed.(reference.Digested); ok {
		sum = digested.Digest().String()
		name = strings.TrimSuffix(name, "@"+sum)
	}
	if tagged, ok := parsed.(reference.Tagged); ok {
		tag = tagged.Tag()
		name = strings.TrimSuffix(name, ":"+tag)
	}
	if i.Name != "" {
		name = i.Name
	}
	if i.Tag != "" || i.Digest != "" {
		tag, sum = i.Tag, i.Digest
	}
	if tag != "" {
		name += ":" + tag
	}
	if sum != "" {
		name += "@" + sum
	}
	return name
}

// podSpecs is where the kinds that describe pods have the pods' spec, by kind and group. The group extensions once had those of apps.
var podSpecs = map[string]map[string][]string{
	"Pod":                   {"": {"spec"}},
	"PodTemplate":           {"": {"template", "spec"}},
	"ReplicationController": {"": {"spec", "template", "spec"}},
	"Deployment":            {"apps": {"spec", "template", "spec"}, "extensions": {"spec", "template", "spec"}},
	"ReplicaSet":            {"apps": {"spec", "template", "spec"}, "extensions": {"spec", "template", "spec"}},
	"DaemonSet":             {"apps": {"spec", "template", "spec"}, "extensions": {"spec", "template", "spec"}},
	"StatefulSet":           {"apps": {"spec", "template", "spec"}},
	"Job":                   {"batch": {"spec", "template", "spec"}},
	"CronJob":               {"batch": {"spec", "jobTemplate", "spec", "template", "spec"}},
}

// eachImage calls f with each place of an object that names an image: containers of every sort, and volumes that are images.
func eachImage(object map[string]any, f func(holder map[string]any, key string)) {
	kind, _ := object["kind"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	path, ok := podSpecs[kind][groupOf(apiVersion)]
	if !ok {
		return
	}
	spec := object
	for _, name := range path {
		spec, _ = spec[name].(map[string]any)
	}
	for _, name := range []string{"initContainers", "containers", "ephemeralContainers"} {
		containers, _ := spec[name].([]any)
		for _, item := range containers {
			if container, ok := item.(map[string]any); ok {
				f(container, "image")
			}
		}
	}
	volumes, _ := spec["volumes"].([]any)
	for _, item := range volumes {
		volume, _ := item.(map[string]any)
		if image, ok := volume["image"].(map[string]any); ok {
			f(image, "reference")
		}
	}
}

func groupOf(apiVersion string) string {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		return ""
	}
	return group
}
