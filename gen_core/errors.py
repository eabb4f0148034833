"""The one kind of error a user is meant to read: a sentence that says what is wrong and what would be right."""

from __future__ import annotations


class UserError(Exception):
    """Anything the user can mend. Its text is shown as it is, on the page and on the command line."""


class RecipeError(UserError):
    """A recipe, link or `--set` holds a value that is not allowed."""


class InputError(UserError):
    """A file is not what it should be: wrong format, damaged, too large, or missing what is needed."""


class MissingContent(InputError):
    """A recipe names content (`sha256:…`) that is not in the store on this machine."""

    def __init__(self, digest: str, field: str = "data") -> None:
        self.digest, self.field = digest, field
        super().__init__(f"The file this recipe was made with is not on this machine: drop it here ({digest[:23]}…).")


class OutputError(UserError):
    """A result cannot be written: disk full, folder not empty, no permission."""


class CheckpointError(UserError):
    """Weights are missing, cut short, or not the ones the card or the recipe names."""


class JobError(UserError):
    """A job is not there, cannot be started now, or is in a state that does not allow what was asked."""
