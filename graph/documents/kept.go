package documents

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// How much is kept of what callers send: so many documents, and so many bytes of text.
const (
	keptDocuments = 1000
	keptBytes     = 4 << 20
)

// entry is a document under its hash.
type entry struct{ hash, text string }

// kept holds the documents that callers sent. The one that was asked for longest ago makes room. Safe for concurrent use.
type kept struct {
	mu    sync.Mutex
	texts *simplelru.LRU[string, string]
	bytes int
	most  int // bytes
}

// newKept makes room for so many documents, and so many bytes.
func newKept(documents, bytes int) *kept {
	k := &kept{most: bytes}
	texts, err := simplelru.NewLRU(documents, func(_, text string) { k.bytes -= len(text) })
	if err != nil {
		panic("documents: " + err.Error())
	}
	k.texts = texts
	return k
}

func (k *kept) get(hash string) (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.texts.Get(hash)
}

// add keeps a document, unless it alone is more than there is room for.
func (k *kept) add(e entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(e.text) > k.most || k.texts.Contains(e.hash) {
		return
	}
	k.bytes += len(e.text)
	k.texts.Add(e.hash, e.text)
	for k.bytes > k.most {
		k.texts.RemoveOldest()
	}
}
