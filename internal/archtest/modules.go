package archtest

// OwnModule is the rule that a folder, if it holds Go files, is a module of its own.
type OwnModule struct {
	Folder string
	Why    string
}

// Check returns a violation when files of the folder belong to this module.
func (r OwnModule) Check(t *Tree) []Violation {
	for _, f := range t.Files {
		if within(f.Folder(), []string{r.Folder + "/..."}) {
			return []Violation{{File: f.Path, Problem: r.Folder + " has no go.mod: " + r.Why, Mend: "run go mod init in " + r.Folder}}
		}
	}
	return nil
}
