// Verifies checkpoints with the packages that Go's checksum database is made of, which know nothing of Daybook. Standard
// input: {"verifier": "…", "notes": ["…"], "leaves": ["…"]}, the notes by size.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Verifier string
	Notes    []string
	Leaves   []string
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[at] = s[index]
	}
	return hashes, nil
}

func main() {
	if err := verify(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func verify() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(in.Verifier)
	if err != nil {
		return err
	}
	var hashes stored
	for index, leaf := range in.Leaves {
		more, err := tlog.StoredHashes(int64(index), []byte(leaf), hashes)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	var before tlog.Tree
	for _, text := range in.Notes {
		tree, err := open(verifier, text)
		if err != nil {
			return err
		}
		if err := check(in.Leaves, hashes, before, tree); err != nil {
			return fmt.Errorf("checkpoint of size %d: %w", tree.N, err)
		}
		before = tree
	}
	fmt.Printf("%d checkpoints, %d leaves\n", len(in.Notes), before.N)
	return nil
}

func open(verifier note.Verifier, text string) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("not a root: %s", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// The root is that of the leaves, it holds the last of them, and the tree has grown from the one before.
func check(leaves []string, hashes stored, before, tree tlog.Tree) error {
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the root of the leaves is %v", root)
	}
	last := tree.N - 1
	record, err := tlog.ProveRecord(tree.N, last, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(record, tree.N, tree.Hash, last, tlog.RecordHash([]byte(leaves[last]))); err != nil {
		return err
	}
	if before.N == 0 {
		return nil
	}
	growth, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(growth, tree.N, tree.Hash, before.N, before.Hash)
}
