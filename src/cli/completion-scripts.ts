/**
 * What `rq completion SHELL` prints. Each script asks rq itself for candidates, so that they are those of the rq and of
 * the queue that are there when somebody types; where it has none, the shell completes names of files.
 */
export const COMPLETION_SCRIPTS = {
  // COMP_WORDS is cut at "=": the line is not.
  bash: `_rq() {
  local line=\${COMP_LINE:0:COMP_POINT} current IFS=$' \\t\\n'
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]} - 1]}
  mapfile -t COMPREPLY < <(rq completion --complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ $current == *=* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*=}"}"}"); fi
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
}
complete -o default -F _rq rq
`,
  zsh: `#compdef rq
_rq() {
  local -a found
  found=("\${(@f)$(rq completion --complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found ]]; then compadd -Q -- $found; else _files; fi
}
compdef _rq rq
`,
  fish: `complete -c rq -a '(rq completion --complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const;

export type Shell = keyof typeof COMPLETION_SCRIPTS;
