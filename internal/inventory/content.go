package inventory

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// partSize is how many bytes of a content one Secret has. The API server takes 1 MiB, with what is around the data.
const partSize = 900 << 10

// contentKey is the key of the content in its Secrets, and contentLabel the label that says of which set's parent they are.
const (
	contentKey   = "content"
	contentLabel = "fleet.fleetform.io/content-of"
)

// Content is what a revision says, ready to be kept: compressed and cut into parts.
type Content struct {
	parts [][]byte
}

// NewContent compresses a text.
func NewContent(text []byte) (Content, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return Content{}, fmt.Errorf("compress the content of a revision: %w", err)
	}
	if err := w.Close(); err != nil {
		return Content{}, fmt.Errorf("compress the content of a revision: %w", err)
	}
	return Content{parts: slices.Collect(slices.Chunk(b.Bytes(), partSize))}, nil
}

// Text is what the content was made of.
func (c Content) Text() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(bytes.Join(c.parts, nil)))
	if err != nil {
		return nil, fmt.Errorf("the content is damaged: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("the content is damaged: %w", err)
	}
	return text, nil
}

// Parts is how many Secrets the content takes.
func (c Content) Parts() int { return len(c.parts) }

// Keep stores the content of a revision beside the parent, which has to be written and to name it in Contents first: what no parent names
// would not be found. What is there already is what was to be stored, because a revision is named by its content.
func (s *Store) Keep(ctx context.Context, p *Parent, revision string, c Content) error {
	yes := true
	for i, part := range c.parts {
		_, err := s.create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name: s.partName(revision, i), Namespace: s.namespace, Labels: map[string]string{contentLabel: ID(s.namespace, s.set)},
				Annotations: map[string]string{setAnnotation: s.set, revisionAnnotation: revision, toolingAnnotation: s.tooling},
				// Whatever becomes of the parent, its contents go with it.
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Secret", Name: name(s.set), UID: p.uid}},
			},
			Type: corev1.SecretTypeOpaque, Immutable: &yes,
			Data: map[string][]byte{contentKey: part},
		})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("keep the content of revision %s in %s/%s: %w", revision, s.namespace, s.partName(revision, i), err)
		}
	}
	return nil
}

// Load returns what Keep stored of a revision, nil where the parent names no such content or a part of it is not there.
func (s *Store) Load(ctx context.Context, p *Parent, revision string) ([]byte, error) {
	if p == nil || p.Contents[revision] == 0 {
		return nil, nil
	}
	var kept Content
	for i := range p.Contents[revision] {
		secret, err := s.core.Secrets(s.namespace).Get(ctx, s.partName(revision, i), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the content of revision %s from %s/%s: %w", revision, s.namespace, s.partName(revision, i), err)
		}
		kept.parts = append(kept.parts, secret.Data[contentKey])
	}
	text, err := kept.Text()
	if err != nil {
		return nil, fmt.Errorf("revision %s in %s/%s: %w", revision, s.namespace, s.partName(revision, 0), err)
	}
	return text, nil
}

// Drop removes the content of a revision that the parent names. What is not there is no error.
func (s *Store) Drop(ctx context.Context, p *Parent, revision string) error {
	for i := range p.Contents[revision] {
		err := s.core.Secrets(s.namespace).Delete(ctx, s.partName(revision, i), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("drop the content of revision %s from %s/%s: %w", revision, s.namespace, s.partName(revision, i), err)
		}
	}
	return nil
}

// partName has a dot, which the name of no set has, so that no parent is called so.
func (s *Store) partName(revision string, part int) string {
	return fmt.Sprintf("%s.%s.%d", name(s.set), revision, part)
}

// contentsText prints revisions with their numbers of parts, such as "41aa=1,9f2c=2".
func contentsText(contents map[string]int) string {
	texts := make([]string, 0, len(contents))
	for _, revision := range slices.Sorted(maps.Keys(contents)) {
		texts = append(texts, fmt.Sprintf("%s=%d", revision, contents[revision]))
	}
	return strings.Join(texts, ",")
}

// parseContents reads what contentsText printed, and leaves out what it cannot have printed.
func parseContents(text string) map[string]int {
	contents := map[string]int{}
	for _, item := range split(text) {
		revision, number, _ := strings.Cut(item, "=")
		if parts, err := strconv.Atoi(number); err == nil && parts > 0 && revision != "" {
			contents[revision] = parts
		}
	}
	return contents
}
