"""``python -m rollout_lab`` is ``rollout-lab``."""

from rollout_lab.cli import main

main()
