"""Everything that reads what others wrote, fed with damaged and hostile input, and watched."""
