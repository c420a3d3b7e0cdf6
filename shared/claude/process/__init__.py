"""The CLI as a child process that outlives its service: started, fed, watched, ended, and cleared up."""
