"""Studies of clips: audio-visual networks trained as a recipe says, over folds of speakers, and compared.

A recipe with ``[clips]`` comes here from :func:`affekt.study.train` and :func:`affekt.study.study`; jobs, executors and
folders are those of every study.
"""
