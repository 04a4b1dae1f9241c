package manifest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hashLength is how many hexadecimal digits a digest keeps: 64 bits tell versions of one object apart.
const hashLength = 16

// Hash returns a short digest of the object, which does not depend on the order or the formatting of its fields.
// It would let anyone guess the values of a Secret; see SaltedHash.
func Hash(u *unstructured.Unstructured) string {
	return sum(sha256.New(), canonical(u))
}

// SaltedHash is Hash for objects whose values must not be guessed from the digest by who does not know the salt.
func SaltedHash(salt string, u *unstructured.Unstructured) string {
	return sum(hmac.New(sha256.New, []byte(salt)), canonical(u))
}

// Digest returns a short digest of the texts and the borders between them.
func Digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(text)))
		h.Write(length[:])
		h.Write([]byte(text))
	}
	return sum(h, nil)
}

func sum(h hash.Hash, content []byte) string {
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))[:hashLength]
}

// canonical prints the object as JSON, which sorts keys. Parse yields only what JSON can say; should somebody
// have put something else into the object, fmt sorts keys as well and the digest is still stable.
func canonical(u *unstructured.Unstructured) []byte {
	text, err := json.Marshal(u.Object)
	if err != nil {
		return fmt.Append(nil, u.Object)
	}
	return text
}
