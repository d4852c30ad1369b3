package tagkey_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

type BaseKey struct {
	_     struct{}   `restflow:"namespace,Base"`
	_     struct{}   `restflow:"version,3"`
	Query url.Values `restflow:"query,*,hash"`
	Page  int        `restflow:"query,page"`
}

type TenantKey struct {
	_      struct{} `restflow:"namespace,Tenant"`
	_      struct{} `restflow:"version,4"`
	Tenant string   `restflow:"header,X-Tenant,partition"`
	Number int      `restflow:"query,page"`
}

type lowercaseKey struct {
	At time.Time `restflow:"query,at"`
}

func TestEmbeddingExtends(t *testing.T) {
	type key struct {
		BaseKey
		lowercaseKey
		ID int `restflow:"path,id,partition"`
	}
	p := tagkey.MustCompile[key]()
	require.Equal(t, "Base v3 {id=path:id partition, query=query:* hash, page=query:page, at=query:at}", p.String())
	fields := p.Fields()
	require.Equal(t, "BaseKey.Page", fields[2].GoName)
	require.Equal(t, []int{0, 3}, fields[2].Index)
	v := key{BaseKey: BaseKey{Page: 2}, lowercaseKey: lowercaseKey{At: time.Unix(0, 0)}, ID: 1}
	want := "rf1|Base|v3|path:id=1:1|query:*={0;}|query:page=1:2|query:at=20:1970-01-01T00:00:00Z|"
	require.Equal(t, want, valueKey(t, p, v))
	require.Equal(t, want, valueKey(t, p, &v))
}

func TestOuterFieldsReplaceEmbeddedOnes(t *testing.T) {
	type key struct {
		_ struct{} `restflow:"namespace,Outer"`
		BaseKey
		Page string `restflow:"query,page,partition"`
	}
	p := tagkey.MustCompile[key]()
	require.Equal(t, "Outer v3 {page=query:page partition, query=query:* hash}", p.String())
	v := key{Page: "a"}
	v.BaseKey.Page = 2
	require.Equal(t, "rf1|Outer|v3|query:page=1:a|query:*={0;}|", valueKey(t, p, v))
}

func TestTheOutermostOfThreeCounts(t *testing.T) {
	type middle struct {
		BaseKey
		Page string `restflow:"query,page"`
	}
	type key struct {
		middle
		Query map[string][]string `restflow:"query,*"`
	}
	require.Equal(t, "Base v3 {page=query:page, query=query:*}", tagkey.MustCompile[key]().String())
}

func TestEmbeddedFieldsOfOneDepthClash(t *testing.T) {
	type key struct {
		BaseKey
		TenantKey
	}
	_, err := tagkey.Compile[key]()
	require.EqualError(t, err, `tagkey: key.TenantKey._: tag "namespace,Tenant": namespace is declared by BaseKey._ as well; drop one, or declare it in key itself, which replaces both
tagkey: key.TenantKey._: tag "version,4": version is declared by BaseKey._ as well; drop one, or declare it in key itself, which replaces both
tagkey: key.TenantKey.Number: tag "query,page": query:page is declared by BaseKey.Page as well; drop one, or declare it in key itself, which replaces both`)

	type mended struct {
		_ struct{} `restflow:"namespace,Mended"`
		_ struct{} `restflow:"version,1"`
		BaseKey
		TenantKey
		Page int `restflow:"query,page"`
	}
	require.Equal(t, "Mended v1 {X-Tenant=header:X-Tenant partition, query=query:* hash, page=query:page}", tagkey.MustCompile[mended]().String())
}

func TestEmbeddedTypesThatAreNoKeyStructs(t *testing.T) {
	type untagged struct {
		time.Time
	}
	_, err := tagkey.Compile[untagged]()
	require.EqualError(t, err, `tagkey: untagged.Time: has no restflow tag; add one, or restflow:"-" to leave the field out`)

	type tagged struct {
		_         struct{} `restflow:"namespace,t"`
		time.Time `restflow:"query,at"`
		BaseKey   `restflow:"-"`
	}
	require.Equal(t, "t v1 {at=query:at}", tagkey.MustCompile[tagged]().String())

	// The embedded time lends its MarshalText to tagged, which stays a key struct.
	type outer struct {
		_ struct{} `restflow:"namespace,o"`
		tagged
	}
	require.Equal(t, "o v1 {at=query:at}", tagkey.MustCompile[outer]().String())
}

func TestHeaderNamesHaveOneIdentity(t *testing.T) {
	type key struct {
		A string `restflow:"header,x-tenant"`
		B string `restflow:"header,X-Tenant"`
	}
	_, err := tagkey.Compile[key]()
	require.EqualError(t, err, `tagkey: key.B: tag "header,X-Tenant": header:X-Tenant is declared by A as well; drop one`)
}
