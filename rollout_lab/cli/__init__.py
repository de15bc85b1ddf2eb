"""The terminal: `rollout-lab` and its verbs.

Each verb is a module that is imported when it is called, so that `rollout-lab get` does not wait
for what only `up` needs. Nothing here decides; verbs ask a lab or an API server and show the answer.
"""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script. Exits 0 done, 1 failed or no, 2 usage, 3 no cluster."""
    import click

    from rollout_lab.cli.verbs import rollout_lab
    from rollout_lab.errors import LabError

    try:
        result = rollout_lab.main(arguments, prog_name="rollout-lab", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except LabError as problem:
        click.echo(f"error: {problem}", err=True)
        code = problem.exit_code
    except BrokenPipeError:
        code = 0
    else:
        code = result if isinstance(result, int) else 0
    sys.exit(code)
