# The paths of one change: its generation, its stage, and the files beside a file that it replaces.
# requires: paths
# inputs: ID path
# outputs: KEPT STAGE aside back folder staged
# functions: change_siblings

KEPT=$STATE/generations/$ID
STAGE=$RUN/stage-$ID

# Set the paths beside $path: $staged for the new file, $back for the old one, $aside for the
# replaced one.
change_siblings() {
    folder=${path%/*}
    staged=$folder/.fleet-$ID.${path##*/}.new
    back=$folder/.fleet-$ID.${path##*/}.back
    aside=$path.fleet-$ID
}
