"""A stand-in for the tau2 package in a Python of its own: same modules, same call; a task says what becomes of it.

It keeps the tests of the engine fast and at hand everywhere. The real package is in `tests/end_to_end/test_tau2.py`.
"""

import subprocess
import sys

RUN = """
import json, os, time

class Refused(Exception):
    def __init__(self, status):
        super().__init__(f"HTTP {status}")
        self.status_code = status

class Simulation:
    def __init__(self, fields):
        self.fields = fields
    def model_dump(self, mode):
        return self.fields

n_tries = {}

def run_task(domain, task, agent, user, llm_agent, llm_args_agent, llm_user, llm_args_user, max_steps, max_errors, seed):
    print("chatter on stdout")
    what = task["do"]
    n_tries[task["id"]] = n_tries.get(task["id"], 0) + 1
    if what == "die":
        os._exit(7)
    if what == "sleep":
        time.sleep(60)
    if what == "slow":
        time.sleep(1)
    if what == "leak":
        raise ValueError("my key is " + llm_args_agent["api_key"])
    if what == "flaky" and n_tries[task["id"]] < 3:
        raise Refused(503)
    if what == "no tools":
        raise ValueError('"auto" tool choice requires --enable-auto-tool-choice')
    if isinstance(what, int):
        raise Refused(what)
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    said = [domain, llm_agent, llm_user, max_steps, max_errors, seed, llm_args_agent["extra_body"], llm_args_user["extra_body"]]
    messages = [{"role": "assistant", "content": json.dumps(said), "usage": usage, "cost": 0.0, "raw_data": {"x": 1}},
                {"role": "user", "content": "bye", "usage": usage, "cost": 0.0}]
    return Simulation({"id": "s", "task_id": task["id"], "start_time": "", "end_time": "", "duration": 0.5, "trial": None,
                       "termination_reason": "user_stop", "reward_info": {"reward": 1.0}, "agent_cost": 0.0,
                       "user_cost": 0.0, "messages": messages})
"""  # noqa: E501
MODULES = {
    "loguru.py": "class logger:\n    remove = add = staticmethod(lambda *arguments, **options: None)\n",
    "tau2/__init__.py": "",
    "tau2/run.py": RUN,
    "tau2/data_model/__init__.py": "",
    "tau2/data_model/tasks.py": "class Task:\n    model_validate = staticmethod(lambda task: task)\n",
    "stand_in-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: stand-in\nVersion: 1.2\n",
    "stand_in-1.2.dist-info/top_level.txt": "tau2\nloguru\n",
}


def make_python(folder):
    """The interpreter of a new environment below `folder` that has the stand-in."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    for name, content in MODULES.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(content)
    return str(folder / "bin" / "python")
