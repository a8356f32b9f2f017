"""The parts of `des optimise`: what is aimed at, what may vary, the screen, the selection, and why the rule loses."""
