"""The pages of `docs/reference` that are written from the program: fields from the models, commands from Typer."""
