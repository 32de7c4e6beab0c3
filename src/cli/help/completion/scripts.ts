/** The shells with a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const BASH = `# bash completion for rq, printed by 'rq completion bash'
_rq() {
  local files=
  COMPREPLY=()
  {
    read -r files
    mapfile -t COMPREPLY
  } < <(rq completion bash --complete -- "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null </dev/null)
  case $files in
    files) compopt -o default ;;
    directories) compopt -o filenames -o plusdirs ;;
  esac 2>/dev/null
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o nosort -F _rq rq 2>/dev/null || complete -F _rq rq
`;

const ZSH = `#compdef rq
# zsh completion for rq, printed by 'rq completion zsh'
_rq() {
  local typed=$QIPREFIX$IPREFIX$PREFIX line text
  local -a lines complete open
  lines=("\${(@f)$(rq completion zsh --complete -- "\${(j: :)words[1,CURRENT-1]} $typed" 2>/dev/null </dev/null)}")
  for line in "\${(@)lines[2,-1]}"; do
    text=\${line%%$'\\t'*}
    line=\${text//:/\\\\:}:\${line#*$'\\t'}
    if [[ $text == *= ]]; then open+=("$line"); else complete+=("$line"); fi
  done
  local result=1
  (( $#complete )) && _describe -V 'rq' complete && result=0
  (( $#open )) && _describe -V 'key' open -S '' && result=0
  [[ $PREFIX == -*=* ]] && compset -P '*='
  case $lines[1] in
    files) _files && result=0 ;;
    directories) _files -/ && result=0 ;;
  esac
  return result
}
if [[ $funcstack[1] == _rq ]]; then _rq "$@"; elif (( $+functions[compdef] )); then compdef _rq rq; fi
`;

const FISH = `# fish completion for rq, printed by 'rq completion fish'
function __rq_complete
    set -l lines (rq completion fish --complete -- (commandline -cp | string collect) 2>/dev/null </dev/null)
    set -l parts (string match -r '^(--[^=]*=|)(.*)' -- (commandline -ct))
    switch "$lines[1]"
        case files
            printf '%s\\n' $parts[2](__fish_complete_path $parts[3])
        case directories
            printf '%s\\n' $parts[2](__fish_complete_directories $parts[3] Directory)
    end
    if set -q lines[2]
        printf '%s\\n' $lines[2..-1]
    end
end
complete -c rq -f -k -a '(__rq_complete)'
`;

/**
 * The completion scripts, which ask rq for candidates. The scripts of yargs do not fit rq: in bash they complete
 * `tag=` to `tag==VALUE`, since COMP_WORDS is split at `=`, and they insert `$` without quoting it.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
