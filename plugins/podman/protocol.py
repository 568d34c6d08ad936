"""
One JSON request on standard input, one JSON answer on standard output: what every call of this plugin is. The same file is in each of
voxeltron's provider plugins. Called by provider.py.
"""

import json
import sys


class Refusal(Exception):
    """Said to the operator as it is."""


def serve(actions):
    """`actions`: what each action does with its params; what it gives is the answer's result."""
    answer, status = _answer_to(sys.stdin.buffer.read(), actions)
    # All in ASCII: no text can break it, and no locale is asked.
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.exit(status)


# --- internal ---


def _answer_to(request, actions):
    try:
        action, params = _parse(request)
        if action not in actions:
            raise Refusal(f"unknown action: {action}")
        result = actions[action](params)
        return ({"ok": True} if result is None else {"ok": True, "result": result}), 0
    except Refusal as refusal:
        return {"ok": False, "error": str(refusal)}, 0
    except Exception as error:  # what nobody thought of is still an answer, and its place is in the log
        import traceback

        traceback.print_exc()
        return {"ok": False, "error": f"the plugin has a bug: {type(error).__name__}: {error}"}, 1


def _parse(request):
    try:
        document = json.loads(request.decode("utf-8"))
        action, params = document["action"], document.get("params") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(f'wanted a request such as {{"action": "status", "params": {{"name": "web"}}}}: {error}')
    if not isinstance(action, str) or not isinstance(params, dict):
        raise Refusal("wanted a text as action and an object as params")
    return action, params
