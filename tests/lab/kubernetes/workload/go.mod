module fleet.lab/workload

go 1.19
