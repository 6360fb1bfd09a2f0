"""Why a trial failed and whose fault it was: the agent's turns and the simulator's, read for what is wrong in them."""
