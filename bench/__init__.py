"""How fast bugintake is, as ratios against what this machine can do in the same run."""
