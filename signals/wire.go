package signals

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// wireJob is a job as a broker carries it. Keys travel as maps from key field to value, so that
// json tags of key structs do not matter.
type wireJob struct {
	Target string                       `json:"target"`
	Rules  []string                     `json:"rules,omitempty"`
	Groups []wireGroup                  `json:"groups"`
	Rewarm []map[string]json.RawMessage `json:"rewarm,omitempty"`
}

type wireGroup struct {
	All   bool                       `json:"all,omitempty"`
	Names []string                   `json:"names,omitempty"`
	Key   map[string]json.RawMessage `json:"key,omitempty"`
	Soft  time.Duration              `json:"soft,omitempty"`
}

// MarshalJSON writes the job for Bus.DecodeJob. It fails on a job that no dispatcher got from a
// bus, and on key fields that encoding/json cannot write or does not bring back as they were, such
// as a string that is not valid UTF-8. A Dispatcher returns the error, and the bus runs the job.
func (j Job) MarshalJSON() ([]byte, error) {
	if j.target == nil {
		return nil, fmt.Errorf("signals: job for %q: it was not made by a bus and cannot be encoded", j.Target)
	}
	w := wireJob{Target: j.Target, Rules: j.Rules}
	for _, g := range j.Groups {
		key, err := j.target.encode(g.Key, g.Names)
		if err != nil {
			return nil, err
		}
		w.Groups = append(w.Groups, wireGroup{All: g.All, Names: g.Names, Key: key, Soft: g.Soft})
	}
	for _, k := range j.Rewarm {
		key, err := j.target.encode(k, j.target.names(false))
		if err != nil {
			return nil, err
		}
		w.Rewarm = append(w.Rewarm, key)
	}
	return json.Marshal(w)
}

// DecodeJob reads what Job.MarshalJSON wrote. The job's Run drops the groups of every target of
// that name that is bound here; it wraps ErrNoTarget if there is none. Names and values that
// do not fit are errors.
func (b *Bus) DecodeJob(data []byte) (Job, error) {
	var w wireJob
	if err := json.Unmarshal(data, &w); err != nil {
		return Job{}, fmt.Errorf("signals: job: %w", err)
	}
	targets, err := b.registry.Load().named(w.Target)
	if err != nil {
		return Job{}, err
	}
	j := Job{Target: w.Target, Rules: w.Rules, bus: b}
	for _, g := range w.Groups {
		group, err := targets[0].decodeGroup(g)
		if err != nil {
			return Job{}, err
		}
		j.Groups = append(j.Groups, group)
	}
	for _, k := range w.Rewarm {
		key, err := targets[0].decode(k, targets[0].names(false))
		if err != nil {
			return Job{}, err
		}
		j.Rewarm = append(j.Rewarm, key)
	}
	return j, nil
}

func (t *target) decodeGroup(w wireGroup) (Group, error) {
	g := Group{All: w.All, Names: w.Names, Soft: w.Soft}
	if !g.All {
		key, err := t.decode(w.Key, w.Names)
		if err != nil {
			return Group{}, err
		}
		g.Key = key
	}
	if err := t.check(g); err != nil {
		return Group{}, fmt.Errorf("signals: job for %q: %w", t.info.Name, err)
	}
	return g, nil
}

func (t *target) encode(key any, names []string) (map[string]json.RawMessage, error) {
	if key == nil {
		return nil, nil
	}
	values := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		f, _ := t.field(name)
		text, err := marshalExactly(reflect.ValueOf(key).Elem().FieldByIndex(f.Index))
		if err != nil {
			return nil, fmt.Errorf("signals: job for %q: key field %q: %w", t.info.Name, name, err)
		}
		values[name] = text
	}
	return values, nil
}

var errInexact = errors.New("its value does not come back from JSON as it was")

// marshalExactly fails where another value would be decoded, whose group is not the one to drop.
func marshalExactly(v reflect.Value) ([]byte, error) {
	from := v.Interface()
	if moment, ok := from.(time.Time); ok {
		from = moment.UTC() // RFC 3339 has no seconds in an offset
	}
	text, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	back := reflect.New(v.Type())
	if err := json.Unmarshal(text, back.Interface()); err != nil {
		return nil, err
	}
	if !alike(v, back.Elem()) {
		return nil, errInexact
	}
	return text, nil
}

func (t *target) decode(values map[string]json.RawMessage, names []string) (any, error) {
	key := reflect.New(t.info.KeyType)
	for _, name := range names {
		f, ok := t.field(name)
		if !ok {
			continue // check names it
		}
		text, ok := values[name]
		if !ok {
			return nil, fmt.Errorf("signals: job for %q: key field %q has no value", t.info.Name, name)
		}
		if err := json.Unmarshal(text, key.Elem().FieldByIndex(f.Index).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("signals: job for %q: key field %q: %w", t.info.Name, name, err)
		}
	}
	return key.Interface(), nil
}
