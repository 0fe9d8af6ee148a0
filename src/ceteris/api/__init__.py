"""What ``import ceteris`` shows: experiments, studies, runs and their results."""
