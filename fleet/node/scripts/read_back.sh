# Report the files at PATHS as they are now: a Kubernetes distribution generates them at its start.
# requires: environment text protocol report
# inputs: PATHS

protocol_begin
text_split_lines
for path in $PATHS; do report_file "$path"; done
text_split_words
report_print_files
printf '%s' "$NOTES"
protocol_end
