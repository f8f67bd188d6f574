"""The inside of the sandbox: the processes that hold, feed and judge a program written by a model.

`scoring.graders.sandbox` starts them; see there for what is promised. Nothing here imports a package from outside
Python's own library, so a jail is up in about 30 ms.
"""
