"""Tables and sentences for people, from finished runs."""
