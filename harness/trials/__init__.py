"""From a plan to records: trials, the processes that play them, and the session around them."""
