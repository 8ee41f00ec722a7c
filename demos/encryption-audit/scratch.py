"""scratch.py - daemons made of changed sources, without a second build of all the rest.

What:   takes a build of this tree and a copy of its mesh/; of a patch, compiles the files that it
        touches as the build compiled them, and links them with the build's other objects.
Why:    a sabotage has to run in the real daemon, and must not come near the real tree.
Needs:  a build made with Ninja; patch(1), which comes with dpkg-dev.
"""

import json
import os
import re
import shlex
import shutil
import subprocess

PROGRAM = "bin/omerta-meshd"
STRICT = "-Werror"


class ScratchError(Exception):
    """A daemon could not be made; the text says of what, and why."""


class CompileError(ScratchError):
    """The compiler refused; the text ends with what it said."""


class Scratch:
    """Makes daemons in @folder out of the build in @build."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.environment = dict(os.environ, TMPDIR=folder)  # what a compiler leaves goes with it
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            self.commands = {entry["file"]: entry["command"] for entry in json.load(file)}
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
            [self.root] = re.findall(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", file.read(), re.M)
        said = run(["ninja", "-C", build, "-t", "commands", PROGRAM]).stdout
        words = shlex.split(said.splitlines()[-1])
        self.link = [word for word in words if word not in (":", "&&")]

    def make(self, name, patch=None, files=(), is_strict=False):
        """The path of a daemon with @patch applied, @files compiled anew besides.

        CompileError when the compiler refuses, ScratchError when @patch does not apply. Warnings
        are no errors unless @is_strict: a build of a user is not one of ours.
        """
        tree = os.path.join(self.folder, name)
        shutil.copytree(os.path.join(self.root, "mesh"), os.path.join(tree, "mesh"))
        touched = list(files)
        if patch:
            words = ["patch", "-p1", "--fuzz=0", "--batch", "--silent", "-d", tree, "-i", patch]
            done = run(words, check=False)
            if done.returncode != 0:
                raise ScratchError(f"{patch} does not apply any more: {done.stdout}{done.stderr}")
            touched += touches(patch)
        objects = {}
        for file in dict.fromkeys(touched):
            objects.update([self.compile(tree, file, is_strict)])
        program = os.path.join(tree, "omerta-meshd")
        words = [objects.pop(word, word) for word in self.link]
        words[words.index(PROGRAM)] = program
        # What is left is from an archive: it comes first, so the archive's own is not asked for.
        first = next(i for i, word in enumerate(words) if word.endswith(".o"))
        run(words[:first] + list(objects.values()) + words[first:], cwd=self.build,
            env=self.environment)
        return program

    def compile(self, tree, file, is_strict):
        """(The object of the build, the object of @file in @tree)."""
        words = shlex.split(self.commands[os.path.join(self.root, file)])
        old = os.path.join(self.root, "mesh")
        words = [word.replace(old, os.path.join(tree, "mesh")) for word in words]
        if not is_strict:
            words = [word for word in words if word != STRICT]
        at = words.index("-o") + 1
        theirs, ours = words[at], os.path.join(tree, file + ".o")
        words[at] = ours
        done = run(words, cwd=self.build, env=self.environment, check=False)
        if done.returncode != 0:
            raise CompileError(f"{file} with its patch does not compile: {done.stderr}")
        return theirs, ours


def touches(patch):
    """The files that @patch changes."""
    with open(patch, encoding="utf-8") as file:
        return re.findall(r"^\+\+\+ b/(\S+)$", file.read(), re.M)


def purpose(patch):
    """The sentence at its head."""
    with open(patch, encoding="utf-8") as file:
        return file.readline().strip()


def run(argv, check=True, **options):
    """Runs @argv to its end; ScratchError with what it said when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300,
                          stdin=subprocess.DEVNULL, **options)
    if check and done.returncode != 0:
        raise ScratchError(f"{argv[0]}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done
