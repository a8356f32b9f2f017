"""The sections of a page, each a function from findings to a section; None where a result has nothing to say of it."""
